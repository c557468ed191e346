/** Whether we and node:http2 made the same of the same frames, or have a reason not to. */
import { type Compared, frameDifferences, type FrameDifference } from './frame-differences.ts'
import { framesToNode } from './frames-node.ts'
import type { FramesResult, RequestSeen } from './frames-result.ts'
import { framesToWeft } from './frames-weft.ts'
import { flag, type Frame, frameType } from './http2-frames.ts'

/** What was made of frames [from, to]. */
function whatHappened(result: FramesResult, from: number, to: number): Compared['ours'] {
  const within = (at: number): boolean => at >= from && at <= to
  if (within(result.refusedAt)) return 'refuses'
  return [...result.resets.values()].some(within) ? 'resets' : 'goes on'
}

/** A block is judged when it is complete, or as it comes: the last frame with which the one at `from` is. */
function endOfBlock(frames: readonly Frame[], from: number): number {
  let at = from
  while (isOpen(frames[at]) && at + 1 < frames.length) at++
  return at
}

function isOpen(frame: Frame | undefined): boolean {
  if (frame === undefined || (frame.flags & flag.endHeaders) !== 0) return false
  return frame.type === frameType.headers || frame.type === frameType.continuation
}

const describe = ({ start, fields, content, trailers, end }: RequestSeen): string =>
  JSON.stringify([start, fields, content, trailers, end])

/** What was complete before `place`, where the two part; without one, everything. */
function requestsOf({ requests }: FramesResult, place: number): string {
  if (place === -1) return requests.map(describe).join(' ')
  return requests
    .filter(({ completeAt }) => completeAt !== -1 && completeAt < place)
    .map(describe)
    .join(' ')
}

/** Gives the differences by which the two part, if they do; throws where none explains it. */
export async function compareFrames(frames: readonly Frame[]): Promise<readonly FrameDifference[]> {
  const ours = await framesToWeft(frames)
  const node = await framesToNode(frames)
  const found: FrameDifference[] = []
  let over = -1
  for (let from = 0, at = 0; from < frames.length && over === -1; from = at + 1) {
    at = endOfBlock(frames, from)
    // Its end is not here.
    if (isOpen(frames[at])) break
    const compared: Compared = {
      frame: frames[at] as Frame,
      before: frames.slice(0, at),
      ours: whatHappened(ours, from, at),
      node: whatHappened(node, from, at),
      text: ours.reason,
    }
    if (compared.ours === 'refuses' || compared.node === 'refuses') over = at
    if (compared.ours === compared.node) continue
    const by = frameDifferences.filter(({ applies }) => applies(compared))
    const place = `frame ${at} (${describeFrame(compared.frame)})`
    if (by.length === 0)
      throw new Error(
        `${place}: ours ${compared.ours} ${ours.code} ${ours.reason}, Node ${compared.node} ${node.code}`,
      )
    found.push(...by)
    if (by.some(({ parts }) => parts === true)) over = at
  }
  // Node takes leave of a client that said it would go.
  if (frames.some(({ type, stream }) => type === frameType.goaway && stream === 0)) return found
  if (isOpen(frames.at(-1))) return found
  const [ourRequests, nodeRequests] = [requestsOf(ours, over), requestsOf(node, over)]
  if (ourRequests !== nodeRequests) throw new Error(`requests: ours ${ourRequests}, Node's ${nodeRequests}`)
  return found
}

const names = Object.entries(frameType)
const flagNames = Object.entries(flag)

export function describeFrame({ type, flags, stream, payload }: Frame): string {
  const name = names.find(([, value]) => value === type)?.[0] ?? String(type)
  const set = flagNames.filter(([key, value]) => key !== 'ack' && (flags & value) !== 0).map(([key]) => key)
  const text = payload.length > 40 ? `${payload.length} octets` : payload.toString('hex')
  return [name, `stream ${stream}`, ...set, text].join(' ')
}

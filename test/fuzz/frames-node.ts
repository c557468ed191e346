/** A node:http2 server session on the same frames, behind a pipe in memory. */
import type { Buffer } from 'node:buffer'
import http2 from 'node:http2'
import { duplexPair } from 'node:stream'
import { FramesHeard } from './frames-heard.ts'
import { fieldLines, type FramesResult, type RequestSeen, requestSeen } from './frames-result.ts'
import { clientOpening, type Frame, frameBytes } from './http2-frames.ts'
import { turn } from './weft-parser.ts'

/** A frame goes through two pipes, and what is answered comes back by them. */
const turnsPerFrame = 4

function serve(session: http2.ServerHttp2Session, requests: RequestSeen[], place: () => number): void {
  session.on('stream', (stream, headers, _flags, rawHeaders) => {
    const seen = requestSeen(`${headers[':method']} ${headers[':path']}`, fieldLines(rawHeaders))
    requests.push(seen)
    stream.on('error', () => undefined)
    stream.on('data', (piece: Buffer) => {
      seen.content += piece.latin1Slice(0, piece.length)
    })
    stream.on('trailers', (...[, , rawTrailers]: readonly unknown[]) => {
      seen.trailers = fieldLines(rawTrailers as readonly string[])
    })
    stream.on('end', () => {
      if (stream.destroyed || stream.rstCode !== 0 || stream.aborted) return
      seen.end = 'complete'
      seen.completeAt = place()
      stream.respond({ ':status': 204 }, { endStream: true })
    })
    stream.on('close', () => {
      if (seen.end === 'open') seen.end = 'broken'
    })
  })
}

/** Sends the frames one after the other, each request answered when it is complete. */
export async function framesToNode(frames: readonly Frame[]): Promise<FramesResult> {
  const [near, far] = duplexPair()
  const requests: RequestSeen[] = []
  const heard = new FramesHeard()
  let over = false
  const session = http2.performServerHandshake(far, {})
  session.on('error', () => undefined)
  session.on('close', () => {
    over = true
  })
  let at = 0
  serve(session, requests, () => at)
  near.on('data', (bytes: Buffer) => heard.take(bytes, at))
  near.on('error', () => undefined)
  near.write(clientOpening)
  const isOver = (): boolean => over || heard.code > 0
  for (; at < frames.length && !isOver(); at++) {
    near.write(frameBytes(frames[at] as Frame))
    for (let i = 0; i < turnsPerFrame; i++) await turn()
  }
  const refusedAt = isOver() ? at - 1 : -1
  session.destroy()
  near.destroy()
  await turn()
  return { refusedAt, code: heard.code, reason: '', requests, resets: heard.resets }
}

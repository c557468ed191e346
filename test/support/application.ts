/** An application for tests: it finds its requests in what it is sent and answers each one as the test says. */
import type net from 'node:net'
import { type RawServer, startRawServer } from './raw-tcp.ts'

export type ReceivedRequest = {
  readonly head: string
  /** As it was on the wire, chunk sizes included; empty as long as only the head is known. */
  readonly body: string
  readonly connection: number
  /** 1 for the first request on its connection. */
  readonly nth: number
  readonly socket: net.Socket
}

export type Application = RawServer & {
  /** The complete requests, in the order of their ends. */
  readonly requests: readonly ReceivedRequest[]
}

type Progress = { at: number; nth: number; headSeen: boolean }

/** The index after the chunked body that begins at `start`, or -1 while it is not complete. */
function endOfChunks(text: string, start: number): number {
  for (let at = start; ; ) {
    const line = text.indexOf('\r\n', at)
    if (line === -1) return -1
    const size = Number.parseInt(text.slice(at, line), 16)
    if (size === 0) {
      const end = text.indexOf('\r\n\r\n', line)
      return end === -1 ? -1 : end + 4
    }
    at = line + 2 + size + 2
  }
}

function endOfBody(text: string, head: string, start: number): number {
  if (/^transfer-encoding: chunked\r$/im.test(head)) return endOfChunks(text, start)
  const end = start + Number(/^content-length: (\d+)\r$/im.exec(head)?.[1] ?? 0)
  return end <= text.length ? end : -1
}

/** `onRequest` is called for every complete request, `onHead` before that, once its head is there. */
export async function startApplication(
  onRequest: (request: ReceivedRequest) => void,
  onHead: (request: ReceivedRequest) => void = () => undefined,
): Promise<Application> {
  const requests: ReceivedRequest[] = []
  const connections: Progress[] = []
  const server = await startRawServer((text, socket, connection) => {
    const progress = (connections[connection] ??= { at: 0, nth: 1, headSeen: false })
    for (;;) {
      const headEnd = text.indexOf('\r\n\r\n', progress.at) + 4
      if (headEnd === 3) return
      const head = text.slice(progress.at, headEnd)
      const known = { head, connection, nth: progress.nth, socket }
      if (!progress.headSeen) onHead({ ...known, body: '' })
      progress.headSeen = true
      const end = endOfBody(text, head, headEnd)
      if (end === -1) return
      Object.assign(progress, { at: end, nth: progress.nth + 1, headSeen: false })
      const request = { ...known, body: text.slice(headEnd, end) }
      requests.push(request)
      onRequest(request)
    }
  })
  return { ...server, requests }
}

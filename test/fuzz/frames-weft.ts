/** Our server connection on frames, over a wire without a socket. */
import { Buffer } from 'node:buffer'
import { Body } from '../../proxy/body.ts'
import { type Exchange, type Receiver, Reply } from '../../proxy/exchange.ts'
import { HeaderList } from '../../proxy/header-list.ts'
import { HpackForm } from '../../proxy/http2/hpack-form.ts'
import { Http2ServerConnection } from '../../proxy/http2/server-connection.ts'
import { MemoryWire } from '../support/memory-wire.ts'
import { FramesHeard } from './frames-heard.ts'
import { fieldLines, type FramesResult, type RequestSeen, requestSeen } from './frames-result.ts'
import { clientOpening, type Frame, frameBytes } from './http2-frames.ts'
import { quietOptions } from './quiet-connection.ts'
import { turn } from './weft-parser.ts'

/** Takes in what comes; `onComplete` once all of it has. */
function collect(body: Body, seen: RequestSeen, onComplete: () => void): void {
  const complete = (trailers: HeaderList): void => {
    seen.trailers = fieldLines(trailers.entries())
    seen.end = 'complete'
    onComplete()
  }
  if (body.inline !== undefined) {
    seen.content = body.inline
    complete(new HeaderList())
    return
  }
  body.start({
    write: (piece) => {
      seen.content += piece.latin1Slice(0, piece.length)
      return true
    },
    end: complete,
    abort: () => {
      seen.end = 'broken'
    },
  })
}

/** Sends the frames one after the other, each request answered when it is complete. */
export async function framesToWeft(frames: readonly Frame[]): Promise<FramesResult> {
  const wire = new MemoryWire()
  const requests: RequestSeen[] = []
  const heard = new FramesHeard()
  let reason = ''
  let at = 0
  const connection = new Http2ServerConnection(wire.wire, {
    ...quietOptions(),
    form: new HpackForm(),
    connect: undefined,
    onTunnel: () => undefined,
    handler: (x: Exchange, receiver: Receiver) => {
      const seen = requestSeen(`${x.method} ${x.target}`, fieldLines(x.headers.entries()))
      requests.push(seen)
      collect(x.body, seen, () => {
        seen.completeAt = at
        queueMicrotask(() => receiver.onReply(x, new Reply(204, '', new HeaderList(), Body.empty)))
      })
    },
    onViolation: (error) => {
      reason = error.message
    },
  })
  wire.readInto(connection.session)
  let readTo = 0
  const look = (): void => {
    heard.take(Buffer.from(wire.written.slice(readTo), 'latin1'), at)
    readTo = wire.written.length
  }
  wire.deliver(clientOpening.latin1Slice())
  for (; at < frames.length && wire.state === 'open'; at++) {
    wire.deliver(frameBytes(frames[at] as Frame).latin1Slice())
    await turn()
    look()
  }
  const refusedAt = wire.state === 'open' ? -1 : at - 1
  connection.destroy()
  await turn()
  return { refusedAt, code: heard.code, reason, requests, resets: heard.resets }
}

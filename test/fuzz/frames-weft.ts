/** Our server connection on frames, over a wire without a socket. */
import { Buffer } from 'node:buffer'
import { Body } from '../../proxy/body.ts'
import { type Exchange, type Receiver, Reply } from '../../proxy/exchange.ts'
import { HeaderList } from '../../proxy/header-list.ts'
import { HpackForm } from '../../proxy/http2/hpack-form.ts'
import { Http2ServerConnection } from '../../proxy/http2/server-connection.ts'
import { Admission } from '../../proxy/overload/admission.ts'
import { MemoryWire } from '../support/memory-wire.ts'
import { fieldLines, type FramesResult, type RequestSeen } from './frames-result.ts'
import {
  clientPreface,
  type Frame,
  frameBytes,
  FrameSplitter,
  frameType,
  settingsAck,
  settingsBytes,
} from './http2-frames.ts'
import { downstream, turn } from './weft-parser.ts'

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
  const resets = new Map<number, number>()
  let reason = ''
  let code = -1
  let at = 0
  const connection = new Http2ServerConnection(wire.wire, {
    form: new HpackForm(),
    connect: undefined,
    onTunnel: () => undefined,
    handler: (x: Exchange, receiver: Receiver) => {
      const seen: RequestSeen = {
        start: `${x.method} ${x.target}`,
        fields: fieldLines(x.headers.entries()),
        content: '',
        trailers: [],
        end: 'open',
        completeAt: -1,
      }
      requests.push(seen)
      collect(x.body, seen, () => {
        seen.completeAt = at
        queueMicrotask(() => receiver.onReply(x, new Reply(204, '', new HeaderList(), Body.empty)))
      })
    },
    downstream,
    admission: new Admission(),
    nowMs: () => 0,
    headTimeoutMs: 1,
    idleTimeoutMs: 1,
    streamIdleTimeoutMs: 1,
    onViolation: (error) => {
      reason = error.message
    },
    onFlag: () => undefined,
    onClosed: () => undefined,
  })
  wire.readInto(connection.session)
  const splitter = new FrameSplitter()
  let readTo = 0
  const look = (): void => {
    const written = Buffer.from(wire.written.slice(readTo), 'latin1')
    readTo = wire.written.length
    for (const { type, stream, payload } of splitter.take(written)) {
      if (type === frameType.reset && !resets.has(stream)) resets.set(stream, at)
      if (type === frameType.goaway) code = payload.readUInt32BE(4)
    }
  }
  wire.deliver(Buffer.concat([clientPreface, settingsBytes([]), settingsAck]).latin1Slice())
  for (; at < frames.length && wire.state === 'open'; at++) {
    wire.deliver(frameBytes(frames[at] as Frame).latin1Slice())
    await turn()
    look()
  }
  const refusedAt = wire.state === 'open' ? -1 : at - 1
  connection.destroy()
  await turn()
  return { refusedAt, code, reason, requests, resets }
}

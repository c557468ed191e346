/** Our codecs on given bytes: the real connections, over wires without sockets. */
import { Body } from '../../proxy/body.ts'
import { Exchange, type Receiver, Reply } from '../../proxy/exchange.ts'
import { HeaderList } from '../../proxy/header-list.ts'
import { ClientConnection } from '../../proxy/http1/client-connection.ts'
import { ServerConnection } from '../../proxy/http1/server-connection.ts'
import { downstream } from '../../proxy/test-exchange.ts'
import { UpstreamFailure } from '../../proxy/upstream-failure.ts'
import { MemoryWire } from '../support/memory-wire.ts'
import type { Message, Outcome } from './outcome.ts'
import { quietOptions } from './quiet-connection.ts'

/** Tells the whole content of `body`, or undefined when it breaks off. */
function readAll(body: Body, onEnd: (content: string | undefined, trailers: string) => void): void {
  if (body.inline !== undefined) {
    onEnd(body.inline, '')
    return
  }
  let content = ''
  body.start({
    write: (piece) => {
      content += piece.latin1Slice(0, piece.length)
      return true
    },
    end: (trailers) => onEnd(content, trailers.lines),
    abort: () => onEnd(undefined, ''),
  })
}

/** Lets all run that waits for nothing but its turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

const framingFields = new Set(['transfer-encoding', 'content-length'])

function fieldsOf(headers: HeaderList): readonly string[] {
  const entries = headers.entries()
  const fields: string[] = []
  for (let i = 0; i < entries.length; i += 2) {
    const name = (entries[i] as string).toLowerCase()
    if (!framingFields.has(name)) fields.push(`${name}: ${entries[i + 1]}`)
  }
  return fields
}

function startOf(x: Exchange): string {
  return x.absoluteForm ? `${x.method} (absolute)` : `${x.method} ${x.target}`
}

const emptyReply = (): Reply => new Reply(200, 'OK', HeaderList.of('Content-Length', '0'), Body.empty)

/** Requests, each answered when it is complete. */
export async function weftRequests(pieces: readonly string[]): Promise<Outcome> {
  const wire = new MemoryWire()
  const messages: Message[] = []
  let refusal = ''
  let begun = ''
  let late = false
  const connection = new ServerConnection(wire.wire, {
    ...quietOptions(),
    handler: (x: Exchange, receiver: Receiver) => {
      begun = startOf(x)
      readAll(x.body, (body) => {
        if (body === undefined) return
        // An application's reply never comes within the call that brings the request's last byte.
        queueMicrotask(() => {
          const before = wire.written.length
          receiver.onReply(x, emptyReply())
          messages.push({
            start: startOf(x),
            fields: fieldsOf(x.headers),
            body,
            keepAlive: !wire.written.slice(before).includes('Connection: close\r\n'),
            upgrade: x.upgrade !== undefined,
          })
        })
      })
    },
    connect: undefined,
    onViolation: (error) => {
      if (!late) refusal = `${error.status} ${error.message}`
    },
    onTunnel: () => undefined,
  })
  wire.readInto(connection)
  for (const piece of pieces) {
    wire.deliver(piece)
    await turn()
  }
  late = refusal === ''
  // Whoever is within a message is told that it takes too long.
  const before = wire.written.length
  if (late && wire.state === 'open') connection.onDeadline()
  const late408 = /^HTTP\/1\.1 408 [^]*(the request .*)\n$/.exec(wire.written.slice(before))?.[1]
  const incomplete = late && late408 !== undefined
  connection.destroy()
  await turn()
  return {
    messages,
    end: refusal !== '' ? 'refused' : incomplete ? 'incomplete' : 'clean',
    reason: refusal || (late408 ?? ''),
    begun,
  }
}

export type Asked = { readonly method: string; readonly upgrade: string | undefined }

/** The replies to one request, interim ones included; behind `pieces` the connection ends. */
export async function weftResponses(pieces: readonly string[], asked: Asked): Promise<Outcome> {
  const wire = new MemoryWire()
  const messages: Message[] = []
  let final: Omit<Message, 'keepAlive'> | undefined
  let failure: unknown
  const connection = new ClientConnection(wire.wire, { onIdle: () => undefined, onClosed: () => undefined })
  const request = { ...asked, target: '/', authority: 'a', absoluteForm: false, acceptsTrailers: false }
  const x = new Exchange(downstream, { ...request, headers: HeaderList.of('Host', 'a') }, Body.empty, 0)
  x.interim = (status, headers) =>
    messages.push({
      start: String(status),
      fields: fieldsOf(headers),
      body: '',
      keepAlive: true,
      upgrade: false,
    })
  connection.send(x, {
    onReply: (_x, { status, headers, body, tunnel }) => {
      body.onComplete(() => (failure = body.failed))
      readAll(body, (content) => {
        if (content === undefined) return
        final = {
          start: String(status),
          fields: fieldsOf(headers),
          body: content,
          upgrade: tunnel !== undefined,
        }
      })
    },
    onFailure: (_x, error) => (failure = error),
  })
  for (const piece of pieces) {
    wire.deliver(piece)
    await turn()
  }
  const keepAlive = final !== undefined && connection.usable
  wire.deliverEnd()
  await turn()
  connection.destroy()
  await turn()
  if (final !== undefined) messages.push({ ...final, keepAlive })
  const refused = failure instanceof UpstreamFailure && failure.kind === 'malformed'
  const reason = failure instanceof Error ? failure.message : ''
  return { messages, end: final !== undefined ? 'clean' : refused ? 'refused' : 'incomplete', reason }
}

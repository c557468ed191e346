/** Node's own HTTP parser (llhttp, strict) on given bytes. */
import { Buffer } from 'node:buffer'
import { createRequire } from 'node:module'
import { endToEndFields, type Message, type Outcome } from './outcome.ts'

type HeadersComplete = (
  versionMajor: number,
  versionMinor: number,
  headers: readonly string[] | undefined,
  method: number | undefined,
  url: string | undefined,
  statusCode: number | undefined,
  statusMessage: string | undefined,
  upgrade: boolean,
  shouldKeepAlive: boolean,
) => number

/** As node:_http_common has it; callbacks are properties named by numbers. */
type Parser = {
  initialize(type: number, resource: object, maxHeaderBytes: number, lenient: number): void
  execute(bytes: Buffer): number | Error
  finish(): Error | undefined
  [callback: number]: unknown
}
type ParserClass = {
  new (): Parser
  readonly REQUEST: number
  readonly RESPONSE: number
  readonly kOnMessageBegin: number
  readonly kOnHeaders: number
  readonly kOnHeadersComplete: number
  readonly kOnBody: number
  readonly kOnMessageComplete: number
}

const { HTTPParser, methods } = createRequire(import.meta.url)('_http_common') as {
  readonly HTTPParser: ParserClass
  readonly methods: readonly string[]
}

/** The methods that Node knows. */
export const nodeMethods: ReadonlySet<string> = new Set(methods)

const maxHeadBytes = 60 * 1024

/** The parser tells a method as a number that only it knows. */
const methodNames: ReadonlyMap<number, string> = new Map(
  methods.map((name) => {
    const parser = new HTTPParser()
    parser.initialize(HTTPParser.REQUEST, {}, maxHeadBytes, 0)
    let number = -1
    const onHead: HeadersComplete = (_major, _minor, _headers, method) => {
      number = method as number
      return 0
    }
    parser[HTTPParser.kOnHeadersComplete] = onHead
    parser.execute(Buffer.from(`${name} / HTTP/1.1\r\n\r\n`))
    return [number, name]
  }),
)

type Refusal = { readonly code?: string; readonly reason?: string }

/** One run of the parser over one connection's bytes. */
class Reading {
  readonly messages: Message[] = []
  /** A message has begun and is not complete. */
  begun = false
  versionMinor = 1
  error: Refusal | undefined
  readonly #parser = new HTTPParser()
  readonly #isRequest: boolean
  #head: Omit<Message, 'body'> | undefined
  #body = ''
  #headers: string[] = []
  #url = ''

  /** `hasBody` says of a response's status whether one may follow: that depends on the request. */
  constructor(type: number, hasBody: (status: number) => boolean) {
    this.#isRequest = type === HTTPParser.REQUEST
    const parser = this.#parser
    parser.initialize(type, {}, maxHeadBytes, 0)
    parser[HTTPParser.kOnMessageBegin] = () => this.#begin()
    // Many fields come in parts, and so do trailers.
    parser[HTTPParser.kOnHeaders] = (headers: readonly string[], url: string) => {
      this.#headers.push(...headers)
      this.#url += url
    }
    const onHead: HeadersComplete = (...args) => {
      this.#takeHead(...args)
      const status = args[5]
      return status === undefined || hasBody(status) ? 0 : 1
    }
    parser[HTTPParser.kOnHeadersComplete] = onHead
    parser[HTTPParser.kOnBody] = (piece: Buffer) => {
      this.#body += piece.toString('latin1')
    }
    parser[HTTPParser.kOnMessageComplete] = () => {
      this.messages.push({ ...(this.#head as Omit<Message, 'body'>), body: this.#body })
      this.begun = false
    }
  }

  /** The last message asks for an upgrade: what follows is not the parser's. */
  get upgraded(): boolean {
    return this.messages.at(-1)?.upgrade === true
  }

  read(piece: string): void {
    const result = this.#parser.execute(Buffer.from(piece, 'latin1'))
    if (result instanceof Error) this.error = result as Refusal
    // Of a request that asks for an upgrade it tells no error, it only stops.
    else if (this.begun && result < piece.length) this.error = { reason: 'stopped' }
  }

  end(): void {
    this.#parser.finish()
  }

  outcome(end: Outcome['end']): Outcome {
    const { code, reason = '' } = this.error ?? {}
    return { messages: this.messages, end, reason: code === undefined ? reason : `${code}: ${reason}` }
  }

  #begin(): void {
    this.begun = true
    this.#body = this.#url = ''
    this.#headers = []
  }

  #takeHead(
    ...[, minor, headers, method, url, status, , upgrade, keepAlive]: Parameters<HeadersComplete>
  ): void {
    const pairs = headers ?? this.#headers
    this.#headers = []
    this.versionMinor = minor
    this.#head = {
      start: this.#isRequest ? `${methodNames.get(method as number)} ${url ?? this.#url}` : String(status),
      fields: endToEndFields(pairs),
      keepAlive,
      upgrade,
    }
  }
}

/** Requests, as many as there are. */
export function nodeRequests(pieces: readonly string[]): Outcome {
  const reading = new Reading(HTTPParser.REQUEST, () => true)
  for (const piece of pieces) {
    reading.read(piece)
    if (reading.error !== undefined) return reading.outcome('refused')
    if (reading.upgraded) break
  }
  return reading.outcome(reading.begun ? 'incomplete' : 'clean')
}

/** The replies to one request of `method`, interim ones included; behind `bytes` the connection ends. */
export function nodeResponses(bytes: string, method: string): Outcome {
  const mayHaveBody = (status: number): boolean =>
    method !== 'HEAD' && status >= 200 && status !== 204 && status !== 304
  const reading = new Reading(HTTPParser.RESPONSE, mayHaveBody)
  // Byte by byte, to see where the final reply ends.
  for (let at = 0; at < bytes.length; at++) {
    reading.read(bytes.charAt(at))
    if (reading.error !== undefined) return reading.outcome('refused')
    if (isFinal(reading.messages.at(-1))) return pooled(reading, at + 1 < bytes.length)
  }
  reading.end()
  if (!isFinal(reading.messages.at(-1))) return reading.outcome('incomplete')
  return pooled(reading, true)
}

function isFinal(message: Message | undefined): boolean {
  return (
    message !== undefined &&
    (Number(message.start) >= 200 || message.start === '101' || Number(message.start) < 100)
  )
}

/** An interim reply says nothing about the connection; behind the final one nothing may be left over. */
function pooled(reading: Reading, leftOver: boolean): Outcome {
  const last = reading.messages.length - 1
  const messages = reading.messages.map((message, i) => ({
    ...message,
    keepAlive: i < last || (message.keepAlive && reading.versionMinor === 1 && !leftOver),
  }))
  return { ...reading.outcome('clean'), messages }
}

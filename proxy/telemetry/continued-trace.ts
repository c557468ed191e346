/**
 * The way on that most traces take inside of a mesh: a traceparent, and a b3 of the same trace (in HTTP/1 in the next
 * line) or none, as a sidecar has written them. Only the span is another one, so that both are made from what is there
 * already.
 */
import type { TraceContext } from '../exchange.ts'
import { HeaderFields } from '../header-fields.ts'
import type { HeaderList } from '../header-list.ts'
import { hasMultiForm, isSampledAt, isTraceparentAt, traceparentLength } from './trace-context.ts'

const w3cName = 'traceparent: '
const b3Name = 'b3: '
/** Within a traceparent: behind the trace's id and its dash, and behind the span's. */
const spanAt = 36
const spanEnd = 52
const traceAt = 3
const traceEnd = 35

/** Its ids are cut out where somebody asks for them. */
class ContinuedTrace implements TraceContext {
  /** The caller's lines, and where its traceparent is in them. */
  readonly #lines: string
  readonly #at: number
  readonly spanId: string
  readonly sampled: boolean

  constructor(lines: string, at: number, spanId: string, sampled: boolean) {
    this.#lines = lines
    this.#at = at
    this.spanId = spanId
    this.sampled = sampled
  }

  get traceId(): string {
    return this.#lines.slice(this.#at + traceAt, this.#at + traceEnd)
  }

  get parentSpanId(): string {
    return this.#lines.slice(this.#at + spanAt, this.#at + spanEnd)
  }

  get debug(): false {
    return false
  }
}

/** Where the b3 of the same trace ends that begins at `at`, with its CRLF; -1: there is another one. */
function endOfB3(lines: string, at: number, w3cAt: number): number {
  const traceId = lines.slice(w3cAt + traceAt, w3cAt + spanAt)
  return lines.startsWith(traceId, at + b3Name.length) ? lines.indexOf('\r\n', at) + 2 : -1
}

/** Makes `spanId` the span of the request that goes on; undefined: its context is not of this kind, and untouched. */
export function continueTrace(headers: HeaderList, spanId: string): TraceContext | undefined {
  if (hasMultiForm(headers)) return undefined
  return headers instanceof HeaderFields ? continueFields(headers, spanId) : continueLines(headers, spanId)
}

function continueFields(headers: HeaderFields, spanId: string): TraceContext | undefined {
  const { fields } = headers
  let w3cAt = -1
  let b3At = -1
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]
    if (name === 'traceparent') {
      if (w3cAt !== -1) return undefined
      w3cAt = i + 1
    } else if (name === 'b3') {
      if (b3At !== -1) return undefined
      b3At = i + 1
    }
  }
  // What was added is in lines.
  if (w3cAt === -1 || headers.find('traceparent') !== -1 || headers.find('b3') !== -1) return undefined
  const value = fields[w3cAt] as string
  if (value.length !== traceparentLength || !isTraceparentAt(value, 0)) return undefined
  const hasB3 = b3At !== -1
  if (hasB3 && !(fields[b3At] as string).startsWith(value.slice(traceAt, spanAt))) return undefined
  const sampled = isSampledAt(value, 0)
  const next = fields.slice()
  next[w3cAt] = value.slice(0, spanAt) + spanId + (sampled ? '-01' : '-00')
  if (hasB3)
    next[b3At] =
      value.slice(traceAt, spanAt) + spanId + (sampled ? '-1-' : '-0-') + value.slice(spanAt, spanEnd)
  headers.replaceFields(next)
  return new ContinuedTrace(value, 0, spanId, sampled)
}

function continueLines(headers: HeaderList, spanId: string): TraceContext | undefined {
  const lineAt = headers.find('traceparent')
  if (lineAt === -1) return undefined
  const { lines } = headers
  const at = lineAt + w3cName.length
  const after = at + traceparentLength + 2
  if (
    !lines.startsWith(w3cName, lineAt) ||
    !isTraceparentAt(lines, at) ||
    !lines.startsWith('\r\n', after - 2)
  )
    return undefined
  const hasB3 = lines.startsWith(b3Name, after)
  const end = hasB3 ? endOfB3(lines, after, at) : after
  if (headers.find('b3') !== (hasB3 ? after : -1) || end === -1) return undefined
  // Several of one kind: all but one have to go.
  if (headers.find('traceparent', end) !== -1 || headers.find('b3', end) !== -1) return undefined
  const sampled = isSampledAt(lines, at)
  let text = lines.slice(lineAt, at + spanAt) + spanId + (sampled ? '-01\r\n' : '-00\r\n')
  if (hasB3) {
    const parent = lines.slice(at + spanAt, at + spanEnd)
    text +=
      lines.slice(after, after + b3Name.length + spanAt - traceAt) +
      spanId +
      (sampled ? '-1-' : '-0-') +
      parent
    text += '\r\n'
  }
  headers.replaceLines(lineAt, end, text)
  return new ContinuedTrace(lines, at, spanId, sampled)
}

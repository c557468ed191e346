/** Reads and writes trace contexts: W3C Trace Context, and B3 in its single and multi header forms. Pure. */
import { type HeaderList, maskOf } from '../header-list.ts'
import type { TraceContext } from '../exchange.ts'

export type Extracted = {
  /** undefined: the caller only decided whether to sample (B3 allows that), and the trace begins here. */
  readonly traceId: string | undefined
  readonly spanId: string | undefined
  /** undefined: the caller left the decision to us. */
  readonly sampled: boolean | undefined
  /** Sampled, and to be kept whatever the collector samples (B3). */
  readonly debug: boolean
}

const b3Single = /^([0-9a-f]{16}|[0-9a-f]{32})-([0-9a-f]{16})(?:-([01d])(?:-[0-9a-f]{16})?)?$/
const hexId = /^(?:[0-9a-f]{16}|[0-9a-f]{32})$/
const hexSpanId = /^[0-9a-f]{16}$/
const noTraceId = '0'.repeat(32)
const noSpanId = '0'.repeat(16)
/** `00-`, trace id, span id and flags. */
export const traceparentLength = 55
const dash = 0x2d

function valid(traceId: string | undefined, spanId: string | undefined): boolean {
  if (traceId === undefined || spanId === undefined) return false
  return traceId !== noTraceId && traceId !== noSpanId && spanId !== noSpanId
}

/** The value of a lower-case hex digit, or -1. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  return code >= 0x61 && code <= 0x66 ? code - 0x57 : -1
}

/**
 * Whether a well-formed traceparent is in `text` at `at`, whatever follows. By hand: this is read in every request, and an
 * expression that captures costs four times as much.
 */
export function isTraceparentAt(text: string, at: number): boolean {
  if (!text.startsWith('00-', at)) return false
  let digits = 0
  for (let i = 3; i < traceparentLength; i++) {
    const code = text.charCodeAt(at + i)
    if (i === 35 || i === 52) {
      // An id of zeroes is none.
      if (code !== dash || digits === 0) return false
      digits = 0
    } else {
      const digit = hexDigit(code)
      if (digit === -1) return false
      digits |= digit
    }
  }
  return true
}

/** Of the traceparent in `text` at `at`. */
export function isSampledAt(text: string, at: number): boolean {
  return (hexDigit(text.charCodeAt(at + traceparentLength - 1)) & 1) === 1
}

const laterVersion = /^(?!00|ff)[0-9a-f]{2}-[^-]{32}-[^-]{16}-[^-]{2}(?:-|$)/

/** What a version of the future begins with has to be read as what it is in this one; what follows, not. */
function ofThisVersion(value: string): string {
  if (value.length === traceparentLength && value.startsWith('00-')) return value
  return laterVersion.test(value) ? `00${value.slice(2, traceparentLength)}` : ''
}

function fromW3c(value: string): Extracted | undefined {
  if (!isTraceparentAt(ofThisVersion(value), 0)) return undefined
  return {
    traceId: value.slice(3, 35),
    spanId: value.slice(36, 52),
    sampled: isSampledAt(value, 0),
    debug: false,
  }
}

function decided(sampled: boolean | undefined, debug: boolean): Extracted {
  return { traceId: undefined, spanId: undefined, sampled, debug }
}

function fromB3Single(value: string): Extracted | undefined {
  if (value === '0' || value === '1' || value === 'd') return decided(value !== '0', value === 'd')
  const parts = b3Single.exec(value)
  if (parts === null || !valid(parts[1], parts[2])) return undefined
  const sampled = parts[3] === undefined ? undefined : parts[3] !== '0'
  return {
    traceId: (parts[1] as string).padStart(32, '0'),
    spanId: parts[2] as string,
    sampled,
    debug: parts[3] === 'd',
  }
}

function fromB3Multi(headers: HeaderList): Extracted | undefined {
  const traceId = headers.get('x-b3-traceid')?.toLowerCase()
  const spanId = headers.get('x-b3-spanid')?.toLowerCase()
  const flag = headers.get('x-b3-sampled')
  const debug = headers.get('x-b3-flags') === '1'
  const sampled = debug || (flag === undefined ? undefined : flag === '1' || flag.toLowerCase() === 'true')
  // A decision alone is one; half of a context is damaged.
  if (traceId === undefined && spanId === undefined)
    return sampled === undefined ? undefined : decided(sampled, debug)
  if (traceId === undefined || spanId === undefined || !hexId.test(traceId) || !hexSpanId.test(spanId))
    return undefined
  if (!valid(traceId, spanId)) return undefined
  return { traceId: traceId.padStart(32, '0'), spanId, sampled, debug }
}

/** The forms that a request has a context in, readable or not: the sum of these. */
const w3cForm = 1
const singleForm = 2
const multiForm = 4

/** False: it carries no context, as most requests that come from outside. */
export function mayHaveTrace(headers: HeaderList): boolean {
  return headers.mayHave(everyName)
}

/** 0: the request carries no context. */
export function traceForms(headers: HeaderList): number {
  if (!mayHaveTrace(headers)) return 0
  let forms = headers.has('traceparent') ? w3cForm : 0
  if (headers.has('b3')) forms += singleForm
  if (hasMultiForm(headers)) forms += multiForm
  return forms
}

export function hasMultiForm(headers: HeaderList): boolean {
  return headers.mayHave(multiMask) && multiNames.some((name) => headers.has(name))
}

/** The context of a request, or undefined when it carries none that is well formed. W3C first, then B3. */
export function extractTrace(headers: HeaderList, forms = traceForms(headers)): Extracted | undefined {
  let extracted: Extracted | undefined
  if ((forms & w3cForm) !== 0) extracted = fromW3c(headers.get('traceparent') ?? '')
  if (extracted === undefined && (forms & singleForm) !== 0) extracted = fromB3Single(headers.get('b3') ?? '')
  if (extracted === undefined && (forms & multiForm) !== 0) extracted = fromB3Multi(headers)
  return extracted
}

/**
 * Writes `context` into the request that goes on, in each of the forms that came, readable or not, so that all of them
 * name the same span and the applications behind understand it; as both W3C and B3 when none came.
 */
export function injectTrace(headers: HeaderList, context: TraceContext, forms = traceForms(headers)): void {
  if (forms === 0) {
    headers.appendLines(bothFormsLines(context), bothFormsNames)
    return
  }
  const { traceId, spanId, sampled } = context
  const flag = sampled ? '1' : '0'
  if ((forms & w3cForm) !== 0) {
    // The state belongs to the trace that it came with.
    if (headers.get('traceparent')?.startsWith(`-${traceId}-`, 2) !== true) headers.remove('tracestate')
    headers.set('traceparent', `00-${traceId}-${spanId}-0${flag}`)
  }
  if ((forms & singleForm) !== 0) headers.set('b3', b3Value(context, flag))
  if ((forms & multiForm) !== 0) setB3Multi(headers, context, flag)
}

/** A context as the fields that are written where none came. */
export function bothFormsLines(context: TraceContext): string {
  const { traceId, spanId, sampled } = context
  const flag = sampled ? '1' : '0'
  return `traceparent: 00-${traceId}-${spanId}-0${flag}\r\nb3: ${b3Value(context, flag)}\r\n`
}

const multiNames = ['x-b3-traceid', 'x-b3-spanid', 'x-b3-sampled', 'x-b3-flags'] as const
/** Of the names in `bothFormsLines`. */
export const bothFormsNames = maskOf(['traceparent', 'b3'])
const multiMask = maskOf(multiNames)
const everyName = bothFormsNames | multiMask

function setB3Multi(headers: HeaderList, context: TraceContext, flag: string): void {
  const { traceId, spanId, parentSpanId } = context
  headers.set('x-b3-traceid', traceId, 'X-B3-TraceId')
  headers.set('x-b3-spanid', spanId, 'X-B3-SpanId')
  headers.set('x-b3-sampled', flag, 'X-B3-Sampled')
  if (parentSpanId === undefined) headers.remove('x-b3-parentspanid')
  else headers.set('x-b3-parentspanid', parentSpanId, 'X-B3-ParentSpanId')
}

function b3Value({ traceId, spanId, parentSpanId, debug }: TraceContext, flag: string): string {
  const value = `${traceId}-${spanId}-${debug ? 'd' : flag}`
  return parentSpanId === undefined ? value : `${value}-${parentSpanId}`
}

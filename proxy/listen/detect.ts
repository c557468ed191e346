/** Tells from a connection's first bytes what it speaks; hands the wire on with those bytes. */
import { Buffer } from 'node:buffer'
import type { Clock, Timer } from '../../core/clock.ts'
import { type ClientHello, looksLikeTls, parseClientHello } from './client-hello.ts'
import type { Wire, WireReader } from './wire.ts'

export type Detected =
  | { readonly kind: 'http1' }
  | { readonly kind: 'http2' }
  | { readonly kind: 'tls'; readonly hello: ClientHello }
  | { readonly kind: 'opaque' }

export const http2Preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
/** Of the PROXY protocol, version 2, which applications may want to see themselves. */
const proxySignature = '\r\n\r\n\0\r\nQUIT\n'
/** What servers that cut a line into words may take for a space (Python's do, all of these). */
const blank = '[\\t\\v\\f\\x1c-\\x1f \\x85\\xa0]'
/** The first word, the blanks before it, and what comes after it. */
const opening = new RegExp(`^(?:\\r\\n?)?(${blank}*)([!#$%&'*+\\-.^_\`|~0-9A-Za-z]*)(.?)`, 's')
const isBlank = new RegExp(blank)
/** Enough to tell for nearly all connections. */
const openingBytes = 64
/** With these a line is a request's, however it goes on: HTTP/0.9 is refused, and not passed on. */
const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'CONNECT'])
/** Longer words and lines than any protocol of words has: as a request they are refused. */
const maxWordBytes = 1024
const maxLineBytes = 8 * 1024
const lineFeed = 0x0a

/** Tells TLS from everything else. */
export function detectTls(bytes: Buffer): Detected | 'more' {
  if (!looksLikeTls(bytes)) return { kind: 'opaque' }
  const hello = parseClientHello(bytes)
  if (hello === 'incomplete') return 'more'
  return hello === 'malformed' ? { kind: 'opaque' } : { kind: 'tls', hello }
}

/** The protocol that `bytes` begin with, or 'more' when that cannot be told yet. */
export function detect(bytes: Buffer): Detected | 'more' {
  if (looksLikeTls(bytes)) return detectTls(bytes)
  const text = bytes.latin1Slice(0, Math.min(bytes.length, openingBytes))
  if (http2Preface.startsWith(text.slice(0, http2Preface.length))) {
    return text.length >= http2Preface.length ? { kind: 'http2' } : 'more'
  }
  if (text !== '' && proxySignature.startsWith(text.slice(0, proxySignature.length)))
    return text.length >= proxySignature.length ? { kind: 'opaque' } : 'more'
  // Servers that skip empty lines would take what follows for a request: it is a malformed one, not opaque bytes.
  if (/^(?:\r[^\n]|\n|\r\n[\r\n])/.test(text)) return { kind: 'http1' }
  const short = opening.exec(text) as RegExpExecArray
  const cut = short[3] === '' && bytes.length > openingBytes
  return detectByWord(bytes, cut ? openingOf(bytes) : short)
}

function openingOf(bytes: Buffer): RegExpExecArray {
  return opening.exec(bytes.latin1Slice(0, Math.min(bytes.length, maxWordBytes))) as RegExpExecArray
}

function detectByWord(bytes: Buffer, [start, before, word, next]: RegExpExecArray): Detected | 'more' {
  if (next === '') return bytes.length < maxWordBytes ? 'more' : { kind: 'http1' }
  if (word === '' || !isBlank.test(next as string)) return { kind: 'opaque' }
  if (before === '' && next === ' ' && knownMethods.has(word as string)) return { kind: 'http1' }
  return detectByVersion(bytes, start.length)
}

/**
 * Of a line of words only the end tells whether it is a request's: `user anna`, `BREW / HTTP/1.1`. Whoever names a version
 * means HTTP, well-formed or not. Linkerd and Envoy's http_inspector look for the same, and pass on what is malformed.
 */
function detectByVersion(bytes: Buffer, from: number): Detected | 'more' {
  const end = bytes.subarray(0, maxLineBytes).indexOf(lineFeed, from)
  if (end === -1) return bytes.length < maxLineBytes ? 'more' : { kind: 'http1' }
  return /HTTP\//i.test(bytes.latin1Slice(from, end)) ? { kind: 'http1' } : { kind: 'opaque' }
}

export type DetectOptions = {
  readonly clock: Clock
  readonly timeoutMs: number
  /** Counts those that were not detected in time. */
  readonly stats?: { detectTimeouts: number }
  readonly look?: typeof detect
}

export type DetectOutcome = {
  /** `bytes` is a copy of all that was read so far, since `firstByteMs`. */
  readonly onDetected: (detected: Detected, bytes: Buffer, firstByteMs: number) => void
  /** The client went before it said anything. */
  readonly onGone: () => void
  /** The client has not said a byte for a while: perhaps it waits for the server to speak first. */
  readonly onSilent?: () => void
}

/** Longer than any client takes that means to speak first, its TLS handshake included, and hardly noticed by the others. */
export const silenceMs = 200

/** Reads a new wire until its protocol is known, then calls `onDetected` once; the caller sets the next reader. */
export class Detector implements WireReader {
  readonly #stats: DetectOptions['stats']
  readonly #wire: Wire
  readonly #outcome: DetectOutcome
  readonly #nowMs: () => number
  readonly #look: typeof detect
  readonly #silence: Timer | undefined
  #firstByteMs: number | undefined
  #bytes: Buffer = Buffer.alloc(0)
  #done = false
  /** When `onDeadline` is due; then whatever came is passed on as opaque bytes. */
  deadlineMs: number

  constructor(wire: Wire, { clock, timeoutMs, stats, look = detect }: DetectOptions, outcome: DetectOutcome) {
    this.#wire = wire
    this.#look = look
    this.#outcome = outcome
    this.#nowMs = clock.monotonicMs
    this.deadlineMs = clock.monotonicMs() + timeoutMs
    this.#stats = stats
    const { onSilent } = outcome
    this.#silence = onSilent === undefined ? undefined : clock.after(silenceMs, onSilent)
  }

  /** The server has spoken: what the client says to that is its own business. */
  giveUp(): void {
    if (!this.#done) this.#finish({ kind: 'opaque' })
  }

  onBytes(buffer: Buffer, start: number, end: number): void {
    if (this.#done) return
    this.#silence?.cancel()
    this.#firstByteMs ??= this.#nowMs()
    // A copy: the wire's buffer is read into again.
    this.#bytes = Buffer.concat([this.#bytes, buffer.subarray(start, end)])
    const detected = this.#look(this.#bytes)
    if (detected !== 'more') this.#finish(detected)
  }

  onEnd(): void {
    if (this.#done) return
    this.#silence?.cancel()
    if (this.#bytes.length > 0) this.#finish({ kind: 'opaque' })
    else this.#wire.destroy()
  }

  onClose(): void {
    if (this.#done) return
    this.#done = true
    this.#silence?.cancel()
    this.#outcome.onGone()
  }

  onDrain(): void {}

  onDeadline(): void {
    if (this.#stats !== undefined) this.#stats.detectTimeouts++
    this.giveUp()
  }

  destroy(): void {
    this.#wire.destroy()
  }

  /** Nothing is in flight yet, so a drain simply closes. */
  drain(): void {
    this.#wire.destroy()
  }

  #finish(detected: Detected): void {
    this.#done = true
    this.#silence?.cancel()
    this.#outcome.onDetected(detected, this.#bytes, this.#firstByteMs ?? this.#nowMs())
  }
}

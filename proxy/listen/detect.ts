/** Tells from a connection's first bytes what it speaks; hands the wire on with those bytes. */
import { Buffer } from 'node:buffer'
import type { Clock, Timer } from '../../core/clock.ts'
import { type ClientHello, looksLikeTls, parseClientHello } from './client-hello.ts'
import { drainGraceMs } from './connections.ts'
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

/** A first line that is a request's as far as it goes: `GE`, `BREW /`. No protocol of words stops there. */
const beginsRequest = new RegExp(
  `^(?:\\r\\n)?${blank}*[^${blank.slice(1, -1)}]+${blank}+(?:/|\\*|https?:)`,
  'i',
)

/** What bytes are that were not enough to tell, once nobody waits for more of them. */
export function settle(bytes: Buffer): Detected {
  const text = bytes.latin1Slice(0, Math.min(bytes.length, maxWordBytes))
  const begun = beginsRequest.test(text) || [...knownMethods].some((method) => method.startsWith(text))
  return { kind: text !== '' && begun ? 'http1' : 'opaque' }
}

export type DetectOptions = {
  readonly clock: Clock
  /** From the first byte on, and for it where the client may not be silent. */
  readonly timeoutMs: number
  /** How long a client may be silent that may be. */
  readonly silentMs: number
  /** Counts those that were not detected in time. */
  readonly stats?: { detectTimeouts: number }
  readonly look?: typeof detect
}

export type DetectOutcome = {
  /** `bytes` is a copy of all that was read so far, since `firstByteMs`. */
  readonly onDetected: (detected: Detected, bytes: Buffer, firstByteMs: number) => void
  /** The client went before it said anything. */
  readonly onGone: () => void
  /**
   * The client has not said a byte for a while: perhaps it waits for the server to speak first. Gives whether it may go on
   * so: what it says at last is a request as much as what others say at once.
   */
  readonly onSilent?: () => boolean
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
  readonly #timeoutMs: number
  readonly #silentMs: number
  readonly #openedMs: number
  #maySayNothing = false
  #draining = false
  deadlineMs: number

  constructor(wire: Wire, options: DetectOptions, outcome: DetectOutcome) {
    const { clock, timeoutMs, silentMs, stats, look = detect } = options
    this.#wire = wire
    this.#timeoutMs = timeoutMs
    this.#silentMs = silentMs
    this.#look = look
    this.#outcome = outcome
    this.#nowMs = clock.monotonicMs
    this.#openedMs = clock.monotonicMs()
    this.deadlineMs = this.#openedMs + timeoutMs
    this.#stats = stats
    const { onSilent } = outcome
    this.#silence =
      onSilent === undefined
        ? undefined
        : clock.after(silenceMs, () => {
            this.#maySayNothing = onSilent()
          })
  }

  /** The server has spoken: what the client says to that is its own business. */
  giveUp(): void {
    if (!this.#done) this.#finish({ kind: 'opaque' })
  }

  onBytes(buffer: Buffer, start: number, end: number): void {
    if (this.#done) return
    this.#silence?.cancel()
    if (this.#firstByteMs === undefined) this.#begin()
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
    if (this.#done) return
    if (this.#draining) this.#wire.destroy()
    else if (this.#firstByteMs === undefined && this.#maySayNothing) this.#waitOn()
    else {
      if (this.#stats !== undefined) this.#stats.detectTimeouts++
      this.#finish(settle(this.#bytes))
    }
  }

  /** Its own time is longer; after that it is what any idle connection is. */
  #waitOn(): void {
    const untilMs = this.#openedMs + this.#silentMs
    if (this.#nowMs() < untilMs) this.deadlineMs = untilMs
    else this.#wire.destroy()
  }

  #begin(): void {
    const nowMs = this.#nowMs()
    this.#firstByteMs = nowMs
    if (this.#maySayNothing) this.deadlineMs = nowMs + this.#timeoutMs
  }

  destroy(): void {
    this.#wire.destroy()
  }

  /** Nothing is in flight yet, but what the client has sent may be on its way. */
  drain(): void {
    this.#draining = true
    this.deadlineMs = Math.min(this.deadlineMs, this.#nowMs() + drainGraceMs)
  }

  #finish(detected: Detected): void {
    this.#done = true
    this.#silence?.cancel()
    this.#outcome.onDetected(detected, this.#bytes, this.#firstByteMs ?? this.#nowMs())
  }
}

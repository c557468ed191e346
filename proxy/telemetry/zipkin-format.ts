/** Spans as Zipkin's API v2 wants them (https://zipkin.io/zipkin-api/). Pure. */
import { isIP } from 'node:net'
import { parseAddress } from '../../core/address.ts'
import { quoted } from './json-text.ts'
import type { SpanEvent, SpanFormat, SpanRecord } from './span.ts'

export type ZipkinEndpoint = {
  readonly serviceName?: string
  readonly ipv4?: string
  readonly ipv6?: string
  readonly port?: number
}

/** As it is after parsing, for tests and tools; Zipkin leaves out what is empty. */
export type ZipkinSpan = {
  readonly traceId: string
  readonly id: string
  readonly parentId?: string
  readonly debug?: true
  readonly kind?: 'CLIENT' | 'SERVER'
  readonly name: string
  /** Microseconds since the epoch. */
  readonly timestamp: number
  /** Microseconds, at least 1: Zipkin takes 0 for not known. */
  readonly duration: number
  readonly localEndpoint: ZipkinEndpoint
  readonly remoteEndpoint?: ZipkinEndpoint
  readonly annotations?: readonly { readonly timestamp: number; readonly value: string }[]
  readonly tags: Readonly<Record<string, string>>
}

const kinds = { server: '"kind":"SERVER",', client: '"kind":"CLIENT",', internal: '' } as const

/** `service` is whose spans they are. */
export function zipkinFormat(service: string): SpanFormat {
  const local = `"localEndpoint":{"serviceName":${quoted(service)}}`
  return {
    path: '/api/v2/spans',
    encode: (span) => encode(span, local),
    open: '[',
    close: ']',
    rejected: () => 0,
  }
}

function encode(span: SpanRecord, local: string): string {
  const { traceId, spanId, parentSpanId, debug, kind, name, startWallMs, durationMs } = span
  const parent = parentSpanId === undefined ? '' : `"parentId":"${parentSpanId}",`
  // The end is rounded, not the duration: what ends together should do so here too.
  const startUs = Math.round(startWallMs * 1000)
  const durationUs = Math.max(1, Math.round((startWallMs + durationMs) * 1000) - startUs)
  return (
    `{"traceId":"${traceId}","id":"${spanId}",${parent}${kinds[kind]}${debug ? '"debug":true,' : ''}` +
    `"name":${quoted(name)},"timestamp":${startUs},"duration":${durationUs},${local},${remote(span)}` +
    `"annotations":[${annotations(span.events)}],"tags":{${tags(span)}}}`
  )
}

function remote({ remoteAddress, remoteService }: SpanRecord): string {
  const service = remoteService === '' ? '' : `"serviceName":${quoted(remoteService)}`
  const address = addressOf(remoteAddress)
  if (service === '' && address === '') return ''
  return `"remoteEndpoint":{${service}${service === '' || address === '' ? '' : ','}${address}},`
}

/** The last one: most spans of a sidecar are about few endpoints. */
let lastText = ''
let lastAddress = ''

function addressOf(text: string): string {
  if (text === lastText) return lastAddress
  const address = parseAddress(text)
  const family = isIP(address?.host ?? '')
  lastText = text
  lastAddress =
    address === undefined || family === 0 ? '' : `"ipv${family}":"${address.host}","port":${address.port}`
  return lastAddress
}

function annotations(events: readonly SpanEvent[]): string {
  let text = ''
  for (const { name, wallMs } of events)
    text += `${text === '' ? '' : ','}{"timestamp":${Math.round(wallMs * 1000)},"value":"${name}"}`
  return text
}

function tags({ attributes, error }: SpanRecord): string {
  let text = ''
  for (let i = 0; i < attributes.length; i += 2) {
    const value = attributes[i + 1] as string | number
    text += `${i === 0 ? '' : ','}"${attributes[i]}":${typeof value === 'number' ? `"${value}"` : quoted(value)}`
  }
  if (error === undefined) return text
  return `${text}${text === '' ? '' : ','}"error":${quoted(error)}`
}

/** A span as Zipkin's API v2 wants it (https://zipkin.io/zipkin-api/). Pure. */
import { isIP } from 'node:net'
import { parseAddress } from '../../core/address.ts'
import type { SpanRecord } from './span.ts'

export type ZipkinEndpoint = {
  readonly serviceName?: string
  readonly ipv4?: string
  readonly ipv6?: string
  readonly port?: number
}

export type ZipkinSpan = {
  readonly traceId: string
  readonly id: string
  readonly parentId?: string
  readonly kind: 'CLIENT' | 'SERVER'
  readonly name: string
  /** Microseconds since the epoch. */
  readonly timestamp: number
  /** Microseconds, at least 1: Zipkin takes 0 for not known. */
  readonly duration: number
  readonly localEndpoint: ZipkinEndpoint
  readonly remoteEndpoint?: ZipkinEndpoint
  readonly tags: Readonly<Record<string, string>>
}

/** `service` is whose span it is. */
export function zipkinSpan(span: SpanRecord, service: string): ZipkinSpan {
  const tags = Object.fromEntries(Object.entries(span.attributes).map(([key, value]) => [key, String(value)]))
  const remoteEndpoint = endpointOf(span.remoteAddress)
  return {
    traceId: span.traceId,
    id: span.spanId,
    ...(span.parentSpanId === undefined ? {} : { parentId: span.parentSpanId }),
    kind: span.kind === 'server' ? 'SERVER' : 'CLIENT',
    name: span.name,
    timestamp: Math.round(span.startWallMs * 1000),
    duration: Math.max(1, Math.round(span.durationMs * 1000)),
    localEndpoint: { serviceName: service },
    ...(remoteEndpoint === undefined ? {} : { remoteEndpoint }),
    tags: span.error === undefined ? tags : { ...tags, error: span.error },
  }
}

function endpointOf(text: string): ZipkinEndpoint | undefined {
  const address = parseAddress(text)
  const family = isIP(address?.host ?? '')
  if (address === undefined || family === 0) return undefined
  return { [family === 4 ? 'ipv4' : 'ipv6']: address.host, port: address.port }
}

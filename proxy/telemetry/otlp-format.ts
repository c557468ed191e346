/** Spans as OpenTelemetry's collectors take them: OTLP over HTTP in JSON (opentelemetry.io/docs/specs/otlp). Pure. */
import { parseAddress } from '../../core/address.ts'
import { quoted } from './json-text.ts'
import type { SpanEvent, SpanFormat, SpanRecord } from './span.ts'

/** Of the sidecar: what OpenTelemetry calls its resource. */
export type OtlpResource = {
  readonly service: string
  readonly namespace: string
  readonly pod: string
  readonly version: string
}

const kinds = { internal: 1, server: 2, client: 3 } as const
const failed = 2
/** Names of OpenTelemetry's semantic conventions, for what they have one. */
const names: ReadonlyMap<string, string> = new Map([
  ['http.method', 'http.request.method'],
  ['http.path', 'url.path'],
  ['http.host', 'server.address'],
  ['http.status_code', 'http.response.status_code'],
])

export function otlpFormat({ service, namespace, pod, version }: OtlpResource): SpanFormat {
  const resource = [
    attribute('service.name', service),
    attribute('k8s.namespace.name', namespace),
    attribute('k8s.pod.name', pod),
  ].join(',')
  const open = `{"resourceSpans":[{"resource":{"attributes":[${resource}]},"scopeSpans":[{"scope":{"name":"weft","version":${quoted(version)}},"spans":[`
  return {
    path: '/v1/traces',
    encode,
    open,
    close: ']}]}]}',
    rejected,
  }
}

function encode(span: SpanRecord): string {
  const { traceId, spanId, parentSpanId, kind, name, startWallMs, durationMs, error } = span
  const parent = parentSpanId === undefined ? '' : `"parentSpanId":"${parentSpanId}",`
  const status = error === undefined ? '' : `,"status":{"code":${failed},"message":${quoted(error)}}`
  return (
    `{"traceId":"${traceId}","spanId":"${spanId}",${parent}"kind":${kinds[kind]},"name":${quoted(name)},` +
    `"startTimeUnixNano":${nanoseconds(startWallMs)},"endTimeUnixNano":${nanoseconds(startWallMs + durationMs)},` +
    `"attributes":[${attributesOf(span)}],"events":[${events(span.events)}]${status}}`
  )
}

/** 64-bit integers are text in JSON. */
function nanoseconds(ms: number): string {
  return `"${Math.round(ms * 1000)}000"`
}

function attribute(name: string, value: string | number): string {
  const typed = typeof value === 'number' ? `"intValue":"${value}"` : `"stringValue":${quoted(value)}`
  return `{"key":"${names.get(name) ?? name}","value":{${typed}}}`
}

function attributesOf({ attributes, remoteAddress, remoteService }: SpanRecord): string {
  const list: string[] = []
  for (let i = 0; i < attributes.length; i += 2)
    list.push(attribute(attributes[i] as string, attributes[i + 1] as string | number))
  const remote = parseAddress(remoteAddress)
  if (remote !== undefined) {
    list.push(attribute('network.peer.address', remote.host), attribute('network.peer.port', remote.port))
  }
  if (remoteService !== '') list.push(attribute('peer.service', remoteService))
  return list.join(',')
}

function events(list: readonly SpanEvent[]): string {
  return list.map(({ name, wallMs }) => `{"timeUnixNano":${nanoseconds(wallMs)},"name":"${name}"}`).join(',')
}

function rejected(answer: string): number {
  try {
    const { partialSuccess } = JSON.parse(answer) as {
      readonly partialSuccess?: { readonly rejectedSpans?: unknown }
    }
    const count = Number(partialSuccess?.rejectedSpans ?? 0)
    return Number.isInteger(count) && count > 0 ? count : 0
  } catch {
    return 0 // It need not say anything.
  }
}

/** `weft tap`: exchanges as they end, one a line. */
import type { TapDrops, TappedExchange } from '../api/live.ts'
import { paint } from './colour.ts'
import type { ControlPlaneConnection } from './reach/control-plane-connection.ts'
import { milliseconds, shortWorkload } from './live-columns.ts'
import type { Screen } from './output.ts'

export type TapOptions = {
  readonly namespace?: string
  readonly path?: string
  readonly method?: string
  readonly status?: string
  readonly grpcStatus?: string
  readonly minLatency?: string
  readonly peer?: string
  readonly direction?: string
  readonly maxRps?: string
}

/** The page that shows what the options ask for. */
export function tapPage(workload: string | undefined, options: TapOptions): string {
  const query = new URLSearchParams()
  const given: readonly (readonly [string, string | undefined])[] = [
    ['workload', workload?.replace(/^deploy\//, 'deployment/').replace(/^sts\//, 'statefulset/')],
    ['namespace', options.namespace],
    ['pathPrefix', options.path],
    ['method', options.method],
    ['status', options.status],
    ['grpcStatus', options.grpcStatus],
    ['minMs', options.minLatency],
    ['peer', options.peer],
    ['direction', options.direction],
    ['maxPerSecond', options.maxRps],
  ]
  for (const [name, value] of given) if (value !== undefined) query.set(name, value)
  return `/live/tap?${query.toString()}`
}

/** A line for people. What a peer wrote cannot move the cursor. */
export function tapLine(line: TappedExchange | TapDrops, { colour, columns }: Screen): string {
  if ('dropped' in line)
    return `... ${line.dropped} more, above what ${line.by === 'sidecar' ? 'the sidecar sends' : '--max-rps allows'}\n`
  const { source, direction, method, authority, path, status, grpcStatus, failed } = line
  const { durationMs, tls, peer, flags } = line
  const facts = [
    new Date(line.atMs).toISOString().slice(11, 23),
    direction === 'inbound' ? 'in ' : 'out',
    `${source.namespace}/${shortWorkload(source)}`,
    `${method} ${authority}${path}`,
    grpcStatus ? `${status} grpc=${grpcStatus}` : String(status),
    milliseconds(durationMs),
    tls ? 'mtls' : 'clear',
    peer ?? '-',
    flags,
  ]
  const text = printable(facts.join(' ').trimEnd()).slice(0, columns)
  return `${colour && failed ? paint(text, 'red') : text}\n`
}

function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?')
}

/** Resolves when `signal` ends it. Rejects as the connection does. */
export function runTap(
  connection: ControlPlaneConnection,
  page: string,
  form: 'line' | 'json',
  screen: Screen,
  signal: AbortSignal,
): Promise<void> {
  return connection.tap(page, signal, (line) => {
    process.stdout.write(
      form === 'json' ? `${line}\n` : tapLine(JSON.parse(line) as TappedExchange | TapDrops, screen),
    )
  })
}

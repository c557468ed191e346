/** `weft tap`: exchanges as they end, one a line. */
import type { LiveMesh, TapDrops, TappedExchange } from '../api/live.ts'
import { WeftError } from '../core/errors.ts'
import { paint } from './colour.ts'
import type { ControlPlaneConnection } from './reach/control-plane-connection.ts'
import { milliseconds, shortWorkload } from './live-columns.ts'
import type { Screen } from './output.ts'
import { parseSubject } from './workload-kinds.ts'

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

/** Kind and name, or the name alone. Throws CONFIG_INVALID for what is no workload. */
function tappedWorkload(text: string): { readonly kind?: string; readonly name: string } {
  if (!text.includes('/')) return { name: text }
  const { kind, name } = parseSubject(text)
  if (kind === undefined || name === undefined || kind === 'Service')
    throw new WeftError('CONFIG_INVALID', `'${text}' is no workload: say deploy/NAME, or the like`)
  return { kind, name }
}

/** What to say when no sidecar is connected that could look; undefined when there is one. */
export function missingWorkload(
  { sidecars }: Pick<LiveMesh, 'sidecars'>,
  workload: string | undefined,
  namespace: string | undefined,
): string | undefined {
  const { kind, name } = workload === undefined ? {} : tappedWorkload(workload)
  const there = sidecars.some(
    ({ workload: one }) =>
      (namespace ?? one.namespace) === one.namespace &&
      (name ?? one.name) === one.name &&
      (kind ?? one.kind) === one.kind,
  )
  if (there) return undefined
  const where = namespace === undefined ? '' : ` in namespace ${namespace}`
  return `No ${workload === undefined ? '' : `${workload} with a `}sidecar${where} is connected now; waiting for one.`
}

/** Throws CONFIG_INVALID. */
function checkNumber(flag: string, text: string | undefined): void {
  if (text !== undefined && !/^\d+(?:\.\d+)?$/.test(text))
    throw new WeftError('CONFIG_INVALID', `${flag}: '${text}' is not a number, 0 or more`)
}

/** The page that shows what the options ask for. Throws CONFIG_INVALID. */
export function tapPage(workload: string | undefined, options: TapOptions): string {
  checkNumber('--min-latency', options.minLatency)
  checkNumber('--max-rps', options.maxRps)
  const query = new URLSearchParams()
  const { kind, name: named } = workload === undefined ? {} : tappedWorkload(workload)
  const given: readonly (readonly [string, string | undefined])[] = [
    ['workload', kind === undefined ? named : `${kind.toLowerCase()}/${named}`],
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

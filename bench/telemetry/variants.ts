/** What each kind of telemetry may cost. The one place: a kind is a row here. */
import type { RequestShape } from '../load/request.ts'
import { plainGet } from '../load/request.ts'
import type { Variant } from '../peer.ts'
import type { Load } from '../scenario.ts'
import type { BenchVariant, VariantGroup } from '../variant-bench.ts'

type Settings = NonNullable<Variant['settings']>

const plain = (settings: Settings, more: Partial<Variant> = {}): Variant => ({
  routes: 1,
  spans: false,
  settings,
  ...more,
})
const traced = (settings: Settings): Variant => ({ routes: 1, spans: true, settings })

/** Neither traces nor lines of a log; metrics are counted, and a tap could begin. */
const quiet: Settings = { tracing: 'false', 'access-log': 'off' }
const off: BenchVariant = { name: 'off', variant: plain(quiet), limits: [] }
const saturated: Load = { kind: 'saturated', connections: 16 }

const traceId = '463ac35c9f6413ad48485a3953bb6124'
const spanId = 'a2fb4a1d1a96d312'
/** As a sidecar passes it on to one that comes next. */
const continued: RequestShape = {
  ...plainGet,
  headers: [
    ['traceparent', `00-${traceId}-${spanId}-00`],
    ['b3', `${traceId}-${spanId}-0`],
  ],
}

function against(base: string, name: string, variant: Variant, atMost: number): BenchVariant {
  return { name, variant, limits: [{ what: name, base, atMost }] }
}

export const groups: readonly VariantGroup[] = [
  {
    name: 'telemetry',
    title: 'one proxy, saturated, by what it tells of its requests',
    base: 'off',
    load: saturated,
    request: plainGet,
    variants: [
      { name: 'no metrics', variant: plain(quiet, { without: 'metrics' }), limits: [] },
      {
        ...off,
        limits: [
          { what: 'metrics', base: 'no metrics', atMost: 1.05 },
          { what: 'tap idle', base: 'no tap', atMost: 1.02 },
        ],
      },
      { name: 'no tap', variant: plain(quiet, { without: 'tap' }), limits: [] },
      against('off', 'sampling 1 %', traced({ 'trace-sampling': '0.01' }), 1.05),
      against('off', 'sampling 100 %', traced({ 'trace-sampling': '1' }), 1.5),
      against('off', 'access log, JSON', plain({ ...quiet, 'access-log': 'json' }), 1.25),
    ],
  },
  {
    name: 'continued',
    title: 'the same for requests that are part of a trace already',
    base: 'off',
    load: saturated,
    request: continued,
    variants: [off, against('off', 'trace continued', plain({}), 1.15)],
  },
  {
    name: 'tapped',
    title: 'one proxy at 1,000 requests/s that somebody looks at',
    base: 'off',
    load: { kind: 'paced', connections: 16, ratePerSecond: 1_000 },
    request: plainGet,
    variants: [off, against('off', 'tap of everything', plain(quiet, { tapped: true }), 1.3)],
  },
]

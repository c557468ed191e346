/** What each kind of telemetry may cost. The one place: a kind is a row here. */
import type { Variant } from '../peer.ts'

export type TelemetryVariant = {
  readonly name: string
  /** What the sidecar is started with. */
  readonly variant: Variant
  /** The variant that it is divided by, and by how much it may cost more: CPU per request, medians. */
  readonly limit: { readonly base: string; readonly atMost: number } | undefined
}

type Settings = NonNullable<Variant['settings']>

const plain = (settings: Settings): Variant => ({ routes: 1, spans: false, settings })
const traced = (settings: Settings): Variant => ({ routes: 1, spans: true, settings })

const nothing: Settings = { tracing: 'false', 'access-log': 'off' }

export const variants: readonly TelemetryVariant[] = [
  { name: 'off', variant: plain(nothing), limit: undefined },
  {
    name: 'sampling 1 %',
    variant: traced({ 'trace-sampling': '0.01' }),
    limit: { base: 'off', atMost: 1.05 },
  },
  {
    name: 'sampling 100 %',
    variant: traced({ 'trace-sampling': '1' }),
    limit: { base: 'off', atMost: 1.5 },
  },
  {
    name: 'access log, JSON',
    variant: plain({ ...nothing, 'access-log': 'json' }),
    limit: { base: 'off', atMost: 1.25 },
  },
]

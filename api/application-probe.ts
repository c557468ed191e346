/**
 * The kubelet cannot speak mesh mTLS, so the injector points its probes at the sidecar's admin port, and the sidecar
 * asks the application. This is what the one tells the other.
 */
import { WeftError } from '../core/errors.ts'

export type HttpHandler = {
  readonly port: number | string
  readonly path?: string | null
  readonly scheme?: string | null
  readonly httpHeaders?: readonly { readonly name: string; readonly value?: string | null }[] | null
}

/** The handler is what the pod said, as it said it; `port` is its number where it said a name. */
export type ApplicationProbe = { readonly port: number; readonly timeoutSeconds: number } & (
  | { readonly httpGet: HttpHandler }
  | { readonly tcpSocket: { readonly port: number | string } }
  | { readonly grpc: { readonly port: number; readonly service?: string | null } }
)

export const probeFields = ['startupProbe', 'livenessProbe', 'readinessProbe'] as const
export const hookFields = ['postStart', 'preStop'] as const
export type ProbedField = (typeof probeFields)[number] | (typeof hookFields)[number]

/** By the path that the kubelet asks the sidecar for. */
export type ApplicationProbes = Readonly<Record<string, ApplicationProbe>>

/** The path of a probe on the sidecar's admin port. */
export function probePath(container: string, field: ProbedField): string {
  return `/probe/${container}/${field}`
}

const path = /^\/probe\/[a-z0-9-]{1,63}\/(startupProbe|livenessProbe|readinessProbe|postStart|preStop)$/

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isProbe(value: unknown): value is ApplicationProbe {
  if (!isRecord(value)) return false
  const { port, timeoutSeconds } = value
  if (!Number.isInteger(port) || (port as number) < 1 || (port as number) > 65_535) return false
  if (typeof timeoutSeconds !== 'number' || !(timeoutSeconds >= 1)) return false
  return ['httpGet', 'tcpSocket', 'grpc'].filter((handler) => isRecord(value[handler])).length === 1
}

/** Reads what the injector wrote. Throws CONFIG_INVALID: a sidecar that answers no probes would let its pod be killed. */
export function parseApplicationProbes(text: string): ReadonlyMap<string, ApplicationProbe> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new WeftError('CONFIG_INVALID', 'the probes are not JSON', { cause: error })
  }
  const entries = isRecord(value) ? Object.entries(value) : undefined
  if (entries?.every(([name, probe]) => path.test(name) && isProbe(probe)) !== true) {
    throw new WeftError('CONFIG_INVALID', 'the probes are not those that the injector writes')
  }
  return new Map(entries as [string, ApplicationProbe][])
}

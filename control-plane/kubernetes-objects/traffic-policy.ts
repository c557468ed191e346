/** TrafficPolicy (weft.dev/v1alpha1) -> the model. What is left out of a section takes the section's default. */
import { grpcStatusNames } from '../../api/grpc-status.ts'
import type { Change, TrafficPolicy } from '../model/objects.ts'
import type {
  ConnectionPoolSettings,
  FaultSettings,
  RateLimitSettings,
  TimeoutSettings,
  TrafficSettings,
} from '../model/traffic-settings.ts'
import { defaultConnectionPool } from '../model/traffic-settings.ts'
import { readBalancer } from './balancer-field.ts'
import type { ObjectHead } from './convert.ts'
import type { FieldReader } from './field-reader.ts'
import { readTextMatch } from './route-fields.ts'
import { readOutlierDetection } from './outlier-detection-field.ts'
import { readRetries } from './retries-field.ts'

const maxCount = 1_000_000

/** The port of a Service that a target names; undefined: all of them. */
export function readServicePort(field: FieldReader): TrafficPolicy['targets'][number]['port'] {
  const name = field.at('sectionName').string()
  const number = field.at('port').port()
  if (name !== undefined && number !== undefined)
    field.at('port').problem('says the same as sectionName; keep one of them')
  if (name !== undefined) return { name }
  return number === undefined ? undefined : { number }
}

function readTarget(field: FieldReader): TrafficPolicy['targets'] {
  field.only(['group', 'kind', 'name', 'sectionName', 'port'])
  const group = field.at('group').string() ?? ''
  const kind = field.at('kind').requiredString()
  if (kind !== '' && (kind !== 'Service' || (group !== '' && group !== 'core')))
    field.at('kind').problem('must be Service, of the core group')
  return [{ service: field.at('name').requiredString(), port: readServicePort(field) }]
}

function readTimeouts(field: FieldReader): TimeoutSettings | undefined {
  if (!field.present) return undefined
  field.only(['request', 'response', 'perTry', 'idle'])
  return {
    requestMs: field.at('request').durationMs(),
    responseMs: field.at('response').durationMs(),
    perTryMs: field.at('perTry').durationMs(),
    idleMs: field.at('idle').durationMs(),
  }
}

function readConnectionPool(field: FieldReader): ConnectionPoolSettings | undefined {
  if (!field.present) return undefined
  field.only(['maxConnections', 'maxPending', 'maxRequests', 'maxRetries', 'queueTimeout'])
  const defaults = defaultConnectionPool
  return {
    maxConnections: field.at('maxConnections').integer(1, maxCount) ?? defaults.maxConnections,
    maxPending: field.at('maxPending').integer(0, maxCount) ?? defaults.maxPending,
    maxRequests: field.at('maxRequests').integer(1, maxCount) ?? defaults.maxRequests,
    maxRetries: field.at('maxRetries').integer(0, maxCount) ?? defaults.maxRetries,
    queueTimeoutMs: field.at('queueTimeout').durationMs() ?? defaults.queueTimeoutMs,
  }
}

function readRateLimitKey(field: FieldReader): RateLimitSettings['per'] {
  if (typeof field.raw === 'object' && field.present) {
    field.only(['header'])
    return { kind: 'header', name: field.at('header').headerName() }
  }
  if (field.raw === 'principal') return { kind: 'principal' }
  if (field.present && field.raw !== 'total') field.problem("must be total, principal, or 'header: NAME'")
  return { kind: 'total' }
}

function readRateLimit(field: FieldReader): RateLimitSettings | undefined {
  if (!field.present) return undefined
  field.only(['requestsPerSecond', 'burst', 'per'])
  const rate = field.at('requestsPerSecond')
  if (!rate.present) rate.problem('is required')
  const requestsPerSecond = rate.number(0.001, maxCount) ?? 1
  return {
    requestsPerSecond,
    burst: field.at('burst').integer(1, maxCount) ?? Math.max(1, Math.ceil(requestsPerSecond)),
    per: readRateLimitKey(field.at('per')),
  }
}

function readAbort(field: FieldReader): FaultSettings['abort'] {
  if (!field.present) return undefined
  field.only(['status', 'grpcStatus', 'percent'])
  const [ofHttp, ofGrpc] = [field.at('status'), field.at('grpcStatus')]
  if (ofHttp.present === ofGrpc.present) field.problem('must have either a status or a grpcStatus')
  const percent = field.at('percent').number(0, 100) ?? 100
  const status = ofHttp.integer(200, 599)
  const grpcStatus = ofGrpc.choice(grpcStatusNames)
  if (grpcStatus !== undefined) return { grpcStatus, percent }
  return status === undefined ? undefined : { status, percent }
}

function readFault(field: FieldReader): FaultSettings | undefined {
  if (!field.present) return undefined
  field.only(['delay', 'abort', 'headers'])
  const [delay, abort] = [field.at('delay'), field.at('abort')]
  delay.only(['duration', 'percent'])
  const ofDelay = delay.at('duration')
  if (delay.present && !ofDelay.present) ofDelay.problem('is required')
  if (!delay.present && !abort.present) field.problem('must have a delay or an abort')
  const delayMs = ofDelay.durationMs()
  return {
    delay:
      delayMs === undefined ? undefined : { delayMs, percent: delay.at('percent').number(0, 100) ?? 100 },
    abort: readAbort(abort),
    headers: field
      .at('headers')
      .list()
      .map((entry) => readTextMatch(entry, true)),
  }
}

function readSettings(spec: FieldReader): TrafficSettings {
  const timeouts = readTimeouts(spec.at('timeouts'))
  const retries = readRetries(spec.at('retries'))
  if (timeouts?.perTryMs !== undefined && retries?.perTryTimeoutMs !== undefined)
    spec.at('retries').at('perTryTimeout').problem('says the same as timeouts.perTry; keep one of them')
  return {
    timeouts,
    retries,
    balancer: readBalancer(spec.at('balancer')),
    connectionPool: readConnectionPool(spec.at('connectionPool')),
    outlierDetection: readOutlierDetection(spec.at('outlierDetection')),
    rateLimit: readRateLimit(spec.at('rateLimit')),
    fault: readFault(spec.at('fault')),
  }
}

export function convertTrafficPolicy(
  object: FieldReader,
  { key, namespace, name, createdMs }: ObjectHead,
): Change {
  const spec = object.at('spec')
  spec.only(['targetRefs', ...sections])
  const targets = spec.at('targetRefs').list()
  if (targets.length === 0) spec.at('targetRefs').problem('must name a Service')
  const settings = readSettings(spec)
  return {
    kind: 'policy',
    key,
    value: { namespace, name, targets: targets.flatMap(readTarget), settings, createdMs },
  }
}

const sections = [
  'timeouts',
  'retries',
  'balancer',
  'connectionPool',
  'outlierDetection',
  'rateLimit',
  'fault',
]

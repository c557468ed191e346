import type { Change, Route, RouteBackend, RouteMatch, TextMatch } from '../model/objects.ts'
import { parseDurationMs } from '../../core/duration.ts'
import type { ObjectHead } from './convert.ts'
import type { FieldReader } from './field-reader.ts'

const maxWeight = 1_000_000

function readParent(field: FieldReader, namespace: string): Route['parents'] {
  const group = field.at('group').string() ?? 'gateway.networking.k8s.io'
  const kind = field.at('kind').string() ?? 'Gateway'
  const service = field.at('name').requiredString()
  // A Gateway's route may have a Service as a second parent; what is not ours is somebody else's.
  if (kind !== 'Service' || (group !== '' && group !== 'core')) return []
  return [{ namespace: field.at('namespace').string() ?? namespace, service, port: field.at('port').port() }]
}

export function readTextMatch(field: FieldReader, lower: boolean): TextMatch {
  const name = field.at('name').requiredString()
  const type = field.at('type').choice(['Exact', 'RegularExpression']) ?? 'Exact'
  return {
    name: lower ? name.toLowerCase() : name,
    value: field.at('value').requiredString(),
    regex: type === 'RegularExpression',
  }
}

function readMatch(field: FieldReader): RouteMatch {
  const path = field.at('path')
  const type = path.at('type').choice(['Exact', 'PathPrefix', 'RegularExpression']) ?? 'PathPrefix'
  const value = path.at('value').string() ?? '/'
  if (type !== 'RegularExpression' && !value.startsWith('/')) path.at('value').problem('must begin with /')
  return {
    path: {
      kind: ({ Exact: 'exact', PathPrefix: 'prefix', RegularExpression: 'regex' } as const)[type],
      value,
    },
    headers: field
      .at('headers')
      .list()
      .map((entry) => readTextMatch(entry, true)),
    query: field
      .at('queryParams')
      .list()
      .map((entry) => readTextMatch(entry, false)),
    method: field.at('method').string(),
  }
}

function readBackend(field: FieldReader, namespace: string): RouteBackend {
  const group = field.at('group').string() ?? ''
  const kind = field.at('kind').string() ?? 'Service'
  const raw = field.at('weight').raw ?? 1
  if (typeof raw !== 'number' || !Number.isInteger(raw) || raw < 0 || raw > maxWeight) {
    field.at('weight').problem(`must be a whole number, 0 to ${maxWeight}`)
  }
  return {
    namespace: field.at('namespace').string() ?? namespace,
    service: field.at('name').requiredString(),
    port: field.at('port').port() ?? 0,
    weight: Number(raw),
    unsupported: kind !== 'Service' || (group !== '' && group !== 'core'),
  }
}

function readTimeout(field: FieldReader): number | undefined {
  const text = field.string()
  if (text === undefined) return undefined
  const ms = parseDurationMs(text)
  if (ms === undefined) field.problem('must be a duration such as 2s or 500ms')
  return ms === 0 ? undefined : ms
}

export function convertHttpRoute(
  object: FieldReader,
  { key, namespace, name, createdMs }: ObjectHead,
): Change {
  const spec = object.at('spec')
  const rules = spec
    .at('rules')
    .list()
    .map((rule) => {
      if (rule.at('filters').list().length > 0) rule.at('filters').problem('are not supported yet')
      return {
        matches: rule.at('matches').list().map(readMatch),
        backends: rule
          .at('backendRefs')
          .list()
          .map((field) => readBackend(field, namespace)),
        timeoutMs: readTimeout(rule.at('timeouts').at('request')),
      }
    })
  const parents = spec
    .at('parentRefs')
    .list()
    .flatMap((field) => readParent(field, namespace))
  return { kind: 'route', key, value: { namespace, name, parents, rules, createdMs } }
}

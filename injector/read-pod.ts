/** An unknown value -> a Pod whose parts that injection reads have the types that it relies on. Pure. */
import type { Pod } from './pod.ts'

export type ReadPod =
  | { readonly ok: true; readonly pod: Pod }
  | { readonly ok: false; readonly problems: readonly string[] }

type Check = (value: unknown, path: string, problems: string[]) => void

/** Own fields only: a field called `__proto__` or `constructor` is as absent as any other. */
function fieldOf(value: object, field: string): unknown {
  return Object.hasOwn(value, field) ? (value as Record<string, unknown>)[field] : undefined
}

function is(type: 'string' | 'number' | 'boolean'): Check {
  return (value, path, problems) => {
    if (typeof value !== type) problems.push(`${path} is not a ${type}`)
  }
}

const portNameOrNumber: Check = (value, path, problems) => {
  const isPort = Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 65_535
  if (typeof value !== 'string' && !isPort) problems.push(`${path} is not a port`)
}

/** Fields that are not there, or null, are fine unless their name ends in `!`. */
function object(fields: Readonly<Record<string, Check>>): Check {
  return (value, path, problems) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      problems.push(`${path || 'the pod'} is not an object`)
      return
    }
    for (const [key, check] of Object.entries(fields)) {
      const name = key.replace(/!$/, '')
      const field = fieldOf(value, name)
      const at = path === '' ? name : `${path}.${name}`
      if (field === undefined || field === null) {
        if (key.endsWith('!')) problems.push(`${at} is missing`)
      } else check(field, at, problems)
    }
  }
}

function list(item: Check, least = 0): Check {
  return (value, path, problems) => {
    if (!Array.isArray(value)) problems.push(`${path} is not a list`)
    else if (value.length < least) problems.push(`${path} is empty`)
    else for (const [i, entry] of value.entries()) item(entry, `${path}[${i}]`, problems)
  }
}

const stringMap: Check = (value, path, problems) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.push(`${path} is not a map`)
    return
  }
  for (const [key, text] of Object.entries(value))
    if (typeof text !== 'string') problems.push(`${path}['${key}'] is not a string`)
}

/** Quantities may be written as numbers. */
const anyMap: Check = object({})

const httpHeader = object({ 'name!': is('string'), value: is('string') })
const handler = {
  httpGet: object({
    'port!': portNameOrNumber,
    path: is('string'),
    host: is('string'),
    scheme: is('string'),
    httpHeaders: list(httpHeader),
  }),
  tcpSocket: object({ 'port!': portNameOrNumber, host: is('string') }),
  grpc: object({ 'port!': portNameOrNumber, service: is('string') }),
}
const probe = object({ ...handler, timeoutSeconds: is('number') })
const security = object({ runAsUser: is('number') })
const container = object({
  'name!': is('string'),
  ports: list(object({ name: is('string'), 'containerPort!': is('number'), protocol: is('string') })),
  startupProbe: probe,
  livenessProbe: probe,
  readinessProbe: probe,
  lifecycle: object({ postStart: object(handler), preStop: object(handler) }),
  securityContext: security,
  restartPolicy: is('string'),
})
const pod = object({
  metadata: object({
    name: is('string'),
    generateName: is('string'),
    namespace: is('string'),
    labels: stringMap,
    annotations: stringMap,
    ownerReferences: list(object({ 'kind!': is('string'), 'name!': is('string') })),
  }),
  'spec!': object({
    'containers!': list(container, 1),
    initContainers: list(container),
    volumes: list(object({ 'name!': is('string') })),
    hostNetwork: is('boolean'),
    restartPolicy: is('string'),
    nodeSelector: stringMap,
    os: object({ name: is('string') }),
    resources: object({ requests: anyMap, limits: anyMap }),
    securityContext: security,
  }),
})

/** Every problem with its path; the API server judges the rest. */
export function readPod(value: unknown): ReadPod {
  const problems: string[] = []
  pod(value, '', problems)
  return problems.length === 0 ? { ok: true, pod: value as Pod } : { ok: false, problems }
}

/** `config.weft.dev/*` of a Pod and its Namespace -> what its sidecar is to be, or everything that does not read. Pure. */
import { annotations as known } from '../api/annotations.ts'
import {
  initAnnotations,
  podAnnotations,
  proxyAnnotations,
  sidecarAnnotationPrefix,
} from '../api/sidecar-annotations.ts'
import { toWeftError } from '../core/errors.ts'
import { readSettings, type Settings, type SettingsTable } from '../core/settings.ts'

type StringMap = Readonly<Record<string, string>>

export type Resources = {
  readonly requests?: StringMap
  readonly limits?: StringMap
}

export type PodSettings = Settings<typeof podAnnotations> & {
  /** `--name=value`, for `weft proxy`. */
  readonly proxyFlags: readonly string[]
  /** The same for `weft init`. */
  readonly initFlags: readonly string[]
  readonly resources: Resources
}

export type ReadPodSettings =
  | { readonly ok: true; readonly settings: PodSettings; readonly unknown: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[] }

const quantity = /^\d{1,18}(\.\d{1,9})?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/
const defaultRequests: StringMap = { cpu: '10m', memory: '64Mi' }

const allTables = { ...proxyAnnotations, ...initAnnotations, ...podAnnotations }
const names: ReadonlySet<string> = new Set([
  ...Object.values(allTables).map(({ env }) => env),
  known.inbound,
  known.opaquePorts,
])
/** What a CNI plugin needs to know of a pod, which is all that it is shown. */
const interceptionNames: ReadonlySet<string> = new Set(
  [
    ...Object.values(initAnnotations),
    podAnnotations.inboundPort,
    podAnnotations.outboundPort,
    podAnnotations.adminPort,
    podAnnotations.proxyUid,
  ].map(({ env }) => env),
)

/** The Pod's annotations over those of its Namespace. */
function merged(namespace: StringMap, pod: StringMap): ReadonlyMap<string, string> {
  const of = (map: StringMap) =>
    Object.entries(map).filter(([name]) => name.startsWith(sidecarAnnotationPrefix))
  return new Map([...of(namespace), ...of(pod)])
}

function flags(table: SettingsTable, given: ReadonlyMap<string, string>): readonly string[] {
  return Object.values(table).flatMap(({ flag, env }) => {
    const value = given.get(env)
    return value === undefined || value === '' ? [] : [`${flag}=${value}`]
  })
}

/** `undefined` parts are left out. */
function present(parts: Readonly<Record<string, string | undefined>>): StringMap {
  return Object.fromEntries(
    Object.entries(parts).filter((part): part is [string, string] => part[1] !== undefined),
  )
}

function resourcesOf(
  settings: Settings<typeof podAnnotations>,
  ofPod: Resources,
  problems: string[],
): Resources {
  for (const [name, { env }] of Object.entries(podAnnotations)) {
    if (!/(Request|Limit)$/.test(name)) continue
    const value = settings[name as 'cpuRequest']
    if (value !== undefined && !quantity.test(value))
      problems.push(`${env}: "${value}" is not a quantity such as 100m or 64Mi`)
  }
  const limits = present({
    cpu: settings.cpuLimit,
    memory: settings.memoryLimit,
    'ephemeral-storage': settings.ephemeralStorageLimit,
  })
  const requests = present({
    cpu: settings.cpuRequest,
    memory: settings.memoryRequest,
    'ephemeral-storage': settings.ephemeralStorageRequest,
  })
  // A request of ours above a limit of the user's would be refused, and so would one more within what the pod as a whole
  // asks for; without one, the limit is the request.
  const taken = { ...limits, ...ofPod.limits, ...ofPod.requests }
  const ours = Object.fromEntries(
    Object.entries(defaultRequests).filter(([name]) => taken[name] === undefined),
  )
  return {
    requests: { ...ours, ...requests },
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
  }
}

function portProblems({
  inboundPort,
  outboundPort,
  adminPort,
}: Settings<typeof podAnnotations>): readonly string[] {
  const ports = [inboundPort, outboundPort, adminPort]
  if (ports.includes(0)) return ['a port of the sidecar is 0']
  return new Set(ports).size < ports.length ? ['two ports of the sidecar are the same'] : []
}

/** The annotations of a Namespace by which the connections of its Pods are to be redirected. */
export function interceptionAnnotations(namespace: StringMap): StringMap {
  return Object.fromEntries(Object.entries(namespace).filter(([name]) => interceptionNames.has(name)))
}

/**
 * Every problem names its annotation. What is not known is no problem, but told: it may be misspelt. `ofPod` is what the
 * pod asks for as a whole, for all of its containers.
 */
export function readPodSettings(
  namespace: StringMap,
  pod: StringMap,
  ofPod: Resources = {},
): ReadPodSettings {
  const given = merged(namespace, pod)
  const env = Object.fromEntries(given)
  try {
    // The others are read for their problems alone: they are handed on as they were written.
    readSettings(allTables, { args: [], env })
    const settings = readSettings(podAnnotations, { args: [], env })
    const problems = [...portProblems(settings)]
    const resources = resourcesOf(settings, ofPod, problems)
    if (problems.length > 0) return { ok: false, problems }
    const initFlags = flags(initAnnotations, given)
    const all = { ...settings, proxyFlags: flags(proxyAnnotations, given), initFlags, resources }
    return { ok: true, settings: all, unknown: [...given.keys()].filter((name) => !names.has(name)) }
  } catch (error) {
    const { detail, message } = toWeftError(error)
    return { ok: false, problems: detail ?? [message] }
  }
}

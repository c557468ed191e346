/** `weft diagnose`: why does A not reach B, and where does the way end. */
import type { DiagnosedEndpoint, Diagnosis, DiagnosisStep, SidecarDiagnosis } from '../../api/diagnosis.ts'
import { WeftError } from '../../core/errors.ts'
import { isToken } from '../../core/http-field.ts'
import { type Colour, paint } from '../colour.ts'
import type { Screen } from '../output.ts'
import { findPod } from '../reach/find-pod.ts'
import { type MeshAccess, readPageOfAll, readSidecarPage } from '../reach/mesh-access.ts'
import type { SidecarConfig } from '../sidecar-config.ts'
import { mergeDiagnoses } from './merge-diagnoses.ts'
import { type ClientView, clientSteps, type ServerView, serverSteps } from './sidecar-steps.ts'

export type DiagnoseOptions = {
  /** `POD`, `NAMESPACE/POD` or `KIND/NAME`. */
  readonly from: string
  /** `[http://]host[:port][/path]`. */
  readonly to: string
  /** Of the pod; undefined: any. */
  readonly namespace: string | undefined
  readonly method: string
  /** `Name: value`. */
  readonly headers: readonly string[]
}

export type FullDiagnosis = Diagnosis & {
  /** Where the way ends: the first step that fails; null: nothing was found. */
  readonly end: DiagnosisStep | null
}

/** More endpoints than are looked behind. */
const maxServers = 8

function splitTarget(to: string): { readonly authority: string; readonly path: string } {
  const scheme = /^(https?):\/\//i.exec(to)?.[1]?.toLowerCase()
  const bare = scheme === undefined ? to : to.slice(scheme.length + 3)
  const slash = bare.search(/[/?]/)
  const authority = slash === -1 ? bare : bare.slice(0, slash)
  const rest = slash === -1 ? '/' : bare.slice(slash)
  const path = rest.startsWith('/') ? rest : `/${rest}`
  // Without a port a name means 80 everywhere else.
  const portless = scheme === 'https' && authority !== '' && !/:\d+$/.test(authority)
  return { authority: portless ? `${authority}:443` : authority, path }
}

/** Throws CONFIG_INVALID. */
function queryOf(
  from: string,
  { to, method, headers }: Pick<DiagnoseOptions, 'to' | 'method' | 'headers'>,
): URLSearchParams {
  const { authority, path } = splitTarget(to)
  if (!/^(?:\[[0-9a-f:.]+\]|[^\s[\]:@]+)(?::\d{1,5})?$/i.test(authority))
    throw new WeftError('CONFIG_INVALID', `'${to}' is not like HOST:PORT/PATH`)
  if (!isToken(method)) throw new WeftError('CONFIG_INVALID', `--method: '${method}' is no method of HTTP`)
  const nameless = headers.find(
    (header) => !isToken(header.split(':', 1)[0] as string) || !header.includes(':'),
  )
  if (nameless !== undefined)
    throw new WeftError('CONFIG_INVALID', `--header: '${nameless}' is not like 'Name: value'`)
  const query = new URLSearchParams({
    from,
    to: authority,
    method: method.toUpperCase(),
    path,
  })
  for (const header of headers) query.append('header', header)
  return query
}

async function askClient(access: MeshAccess, { sidecar, to }: Diagnosis): Promise<ClientView> {
  if (sidecar === null) return undefined
  const query = new URLSearchParams({ to })
  const tried = await readSidecarPage<SidecarDiagnosis>(
    access,
    sidecar,
    `/diagnose?${query.toString()}`,
    'POST',
  )
  // What it is told comes with being asked for.
  const config = await readSidecarPage<SidecarConfig>(access, sidecar, '/config')
  return tried === undefined || config === undefined ? undefined : { config, tried }
}

async function askServer(access: MeshAccess, endpoint: DiagnosedEndpoint): Promise<readonly ServerView[]> {
  const { sidecar, workload, applicationPort } = endpoint
  if (sidecar === null || workload === null) return []
  const path = `/diagnose?application=${applicationPort}`
  const answer = await readSidecarPage<SidecarDiagnosis>(access, sidecar, path, 'POST')
  return [{ workload, tried: answer?.application }]
}

/** Rejects with CONFIG_INVALID, CONTROL_PLANE_UNREACHABLE or RESOURCE_UNKNOWN. */
export async function diagnose(
  access: MeshAccess,
  options: DiagnoseOptions,
  nowMs: number,
): Promise<FullDiagnosis> {
  const from = await findPod(access, options.from, options.namespace)
  const page = `/diagnose?${queryOf(from, options).toString()}`
  const known = mergeDiagnoses(await readPageOfAll<Diagnosis>(access, page))
  const client = await askClient(access, known)
  const endpoints = known.backends.flatMap((backend) => backend.endpoints).slice(0, maxServers)
  const servers = (await Promise.all(endpoints.map((endpoint) => askServer(access, endpoint)))).flat()
  const steps = [...known.steps, ...clientSteps(known, client, nowMs), ...serverSteps(servers)]
  return { ...known, steps, end: steps.find(({ outcome }) => outcome === 'fails') ?? null }
}

const colours = { ok: 'green', warning: 'yellow', fails: 'red', unknown: 'yellow' } as const satisfies Record<
  DiagnosisStep['outcome'],
  Colour
>
const words = { ok: 'ok  ', warning: 'warn', fails: 'FAIL', unknown: '?   ' } as const

export function diagnosisText(
  { from, to, steps, end }: FullDiagnosis,
  { colour }: Pick<Screen, 'colour'>,
): string {
  const placeWidth = Math.max(...steps.map(({ place }) => place.length))
  const lines = steps.flatMap(({ place, outcome, message, hint, id }) => {
    const indent = ' '.repeat(placeWidth + 8)
    return [
      `  ${paint(words[outcome], colour ? colours[outcome] : undefined)}  ${place.padEnd(placeWidth)}  ${message}`,
      ...(hint === '' ? [] : [`${indent}  ${id}: ${hint}`]),
    ]
  })
  const warned = steps.some(({ outcome }) => outcome === 'warning')
  const verdict =
    end === null
      ? `Nothing stops requests${warned ? ', but see the warnings' : ''}.`
      : `It ends at the ${end.place}: ${end.id}.`
  return `${from} -> ${to}\n${lines.join('\n')}\n${verdict}\n`
}

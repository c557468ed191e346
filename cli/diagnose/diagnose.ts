/** `weft diagnose`: why does A not reach B, and where does the way end. */
import type { DiagnosedEndpoint, Diagnosis, DiagnosisStep, SidecarDiagnosis } from '../../api/diagnosis.ts'
import { WeftError } from '../../core/errors.ts'
import { type Colour, paint } from '../colour.ts'
import type { Screen } from '../output.ts'
import { type MeshAccess, readPageOfAll, readSidecarPage } from '../reach/mesh-access.ts'
import type { SidecarConfig } from '../sidecar-config.ts'
import { mergeDiagnoses } from './merge-diagnoses.ts'
import { type ClientView, clientSteps, type ServerView, serverSteps } from './sidecar-steps.ts'

export type DiagnoseOptions = {
  /** `POD` or `NAMESPACE/POD`. */
  readonly from: string
  /** `[http://]host[:port][/path]`. */
  readonly to: string
  readonly namespace: string
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
  const bare = to.replace(/^http:\/\//, '')
  const slash = bare.search(/[/?]/)
  if (slash === -1) return { authority: bare, path: '/' }
  const path = bare.slice(slash)
  return { authority: bare.slice(0, slash), path: path.startsWith('/') ? path : `/${path}` }
}

/** Throws CONFIG_INVALID. */
export function queryOf({ from, to, namespace, method, headers }: DiagnoseOptions): URLSearchParams {
  const { authority, path } = splitTarget(to)
  if (authority === '' || from === '')
    throw new WeftError('CONFIG_INVALID', 'say FROM as POD and TO as HOST:PORT')
  const query = new URLSearchParams({
    from: from.includes('/') ? from : `${namespace}/${from}`,
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

/** Rejects with CONFIG_INVALID or CONTROL_PLANE_UNREACHABLE. */
export async function diagnose(
  access: MeshAccess,
  options: DiagnoseOptions,
  nowMs: number,
): Promise<FullDiagnosis> {
  const page = `/diagnose?${queryOf(options).toString()}`
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

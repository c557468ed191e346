/** `weft split set`: writes weights where the mesh is read from, in a folder or in the cluster. */
import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { isScalar, parseAllDocuments } from 'yaml'
import { reasonOf, WeftError } from '../core/errors.ts'
import type { KubernetesApi } from '../core/kubernetes/api-client.ts'
import { failureOf } from '../core/kubernetes/api-failure.ts'

export type Weights = ReadonlyMap<string, number>
export type SplitName = { readonly namespace: string; readonly name: string }

/** `v1=90 v2=10`. Throws CONFIG_INVALID. */
export function parseWeights(args: readonly string[]): Weights {
  const weights = new Map<string, number>()
  for (const arg of args) {
    const [, backend, weight] = /^([a-z0-9.-]+)=(\d{1,9})$/.exec(arg) ?? []
    if (backend === undefined || weight === undefined)
      throw new WeftError('CONFIG_INVALID', `'${arg}' is not like v2=10, with a whole number`)
    if (weights.has(backend)) throw new WeftError('CONFIG_INVALID', `'${backend}' is there twice`)
    weights.set(backend, Number(weight))
  }
  return weights
}

type SplitObject = {
  readonly kind?: unknown
  readonly metadata?: {
    readonly name?: unknown
    readonly namespace?: unknown
    readonly resourceVersion?: unknown
  }
  readonly spec?: { readonly backends?: readonly { readonly service?: unknown; readonly weight?: unknown }[] }
}

function isSplit(value: unknown, { namespace, name }: SplitName): value is SplitObject {
  const { kind, metadata } = (value ?? {}) as SplitObject
  return kind === 'TrafficSplit' && metadata?.name === name && (metadata.namespace ?? 'default') === namespace
}

/** Throws RESOURCE_UNKNOWN for a backend that the split does not have. */
function checkBackends({ spec }: SplitObject, weights: Weights, { namespace, name }: SplitName): void {
  const known = (spec?.backends ?? []).map(({ service }) => service)
  const unknown = [...weights.keys()].filter((backend) => !known.includes(backend))
  if (unknown.length > 0)
    throw new WeftError(
      'RESOURCE_UNKNOWN',
      `TrafficSplit ${namespace}/${name} has no backend ${unknown.join(', ')}; it has ${known.join(', ')}`,
    )
}

/**
 * The text with other weights, and everything else, comments too, byte for byte as it was; undefined: the split is not in
 * it. Pure. Throws RESOURCE_UNKNOWN.
 */
export function withWeights(text: string, split: SplitName, weights: Weights): string | undefined {
  const edits: { readonly from: number; readonly to: number; readonly text: string }[] = []
  let found = false
  for (const document of parseAllDocuments(text)) {
    const value: unknown = document.toJS()
    if (document.errors.length > 0 || !isSplit(value, split)) continue
    found = true
    checkBackends(value, weights, split)
    for (const [i, { service }] of (value.spec?.backends ?? []).entries()) {
      const weight = typeof service === 'string' ? weights.get(service) : undefined
      const node = document.getIn(['spec', 'backends', i, 'weight'], true)
      if (weight === undefined) continue
      if (!isScalar(node) || node.range == null)
        throw new WeftError(
          'RESOURCE_UNKNOWN',
          `backend ${String(service)} of TrafficSplit ${split.name} has no weight`,
        )
      edits.push({ from: node.range[0], to: node.range[1], text: String(weight) })
    }
  }
  if (!found) return undefined
  return edits
    .toSorted((a, b) => b.from - a.from)
    .reduce((changed, edit) => changed.slice(0, edit.from) + edit.text + changed.slice(edit.to), text)
}

function filesOf(where: string): readonly string[] {
  if (statSync(where).isFile()) return [where]
  return readdirSync(where, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(ya?ml|json)$/.test(file))
    .map((file) => path.join(where, file))
}

/** Gives the file that was changed. Throws FILE_UNREADABLE or RESOURCE_UNKNOWN. */
export function setInFolder(where: string, split: SplitName, weights: Weights): string {
  try {
    for (const file of filesOf(where)) {
      const changed = withWeights(readFileSync(file, 'utf8'), split, weights)
      if (changed === undefined) continue
      // Whole or not at all: somebody watches it.
      const next = path.join(path.dirname(file), `.${path.basename(file)}.new`)
      writeFileSync(next, changed)
      renameSync(next, file)
      return file
    }
  } catch (error) {
    if (error instanceof WeftError) throw error
    throw new WeftError('FILE_UNREADABLE', reasonOf(error), { cause: error })
  }
  throw new WeftError(
    'RESOURCE_UNKNOWN',
    `there is no TrafficSplit ${split.namespace}/${split.name} in ${where}`,
  )
}

const group = '/apis/split.smi-spec.io'

/** Rejects with RESOURCE_UNKNOWN or a KUBERNETES_ code; what somebody else wrote meanwhile is not undone. */
export async function setInCluster(api: KubernetesApi, split: SplitName, weights: Weights): Promise<void> {
  const { namespace, name } = split
  const served = await api.request('GET', group)
  if (served.status !== 200) throw failureOf(served, 'TrafficSplits are not served')
  const { preferredVersion } = served.body as { readonly preferredVersion: { readonly version: string } }
  const at = `${group}/${preferredVersion.version}/namespaces/${namespace}/trafficsplits/${name}`
  const found = await api.request('GET', at)
  if (found.status === 404)
    throw new WeftError('RESOURCE_UNKNOWN', `there is no TrafficSplit ${namespace}/${name}`)
  if (found.status !== 200) throw failureOf(found, `TrafficSplit ${namespace}/${name}`)
  const object = found.body as SplitObject
  checkBackends(object, weights, split)
  const backends = (object.spec?.backends ?? []).map((backend) => ({
    ...backend,
    weight: weights.get(String(backend.service)) ?? backend.weight,
  }))
  const { resourceVersion } = object.metadata ?? {}
  const written = await api.request('PATCH', at, { metadata: { resourceVersion }, spec: { backends } })
  if (written.status !== 200) throw failureOf(written, `writing TrafficSplit ${namespace}/${name}`)
}

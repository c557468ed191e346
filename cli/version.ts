/** `weft version`: which versions run, and whether they fit. */
import type { MeshTrust } from '../api/diagnosis.ts'
import { toWeftError } from '../core/errors.ts'
import { version } from '../core/version.ts'
import type { ConnectionOptions } from './reach/connection-options.ts'
import { withMesh } from './reach/open-access.ts'
import { type MeshAccess, readPage } from './reach/mesh-access.ts'
import { readWorkloads } from './reach/workloads.ts'

export const clientVersion = version

export type Versions = {
  readonly client: string
  /** null: it cannot be reached. */
  readonly controlPlane: string | null
  /** How many sidecars that are connected run each. */
  readonly sidecars: Readonly<Record<string, number>>
  /** Whether they are not all the same. */
  readonly skew: boolean
  /** Why there is no more to say. */
  readonly problem: string | null
}

function alone(problem: string | null): Versions {
  return { client: version, controlPlane: null, sidecars: {}, skew: false, problem }
}

/** Never rejects: the client's own is always known. */
export async function readVersions(access: MeshAccess): Promise<Versions> {
  try {
    const { version: controlPlane } = await readPage<MeshTrust>(access, '/identity')
    const workloads = await readWorkloads(access)
    const connected = workloads.flatMap(({ sidecar }) => (sidecar === null ? [] : [sidecar.version]))
    const sidecars = Object.fromEntries(
      [...Map.groupBy(connected, (one) => one)].map(([one, all]) => [one, all.length]),
    )
    const all = new Set([version, controlPlane, ...connected])
    return { client: version, controlPlane, sidecars, skew: all.size > 1, problem: null }
  } catch (error) {
    return alone(toWeftError(error).message)
  }
}

export function versionsText({ client, controlPlane, sidecars, skew, problem }: Versions): string {
  const counted = Object.entries(sidecars).map(([one, count]) => `${one} (${count})`)
  const lines = [
    `client         ${client}`,
    ...(controlPlane === null ? [] : [`control plane  ${controlPlane}`]),
    ...(controlPlane === null ? [] : [`sidecars       ${counted.join(', ') || 'none connected'}`]),
    ...(skew
      ? ['They are not all the same: bring the control plane up to date first, then make the pods anew.']
      : []),
    ...(problem === null ? [] : [`The mesh cannot be asked: ${problem}`]),
  ]
  return `${lines.join('\n')}\n`
}

/** Never rejects. */
export async function findVersions(options: ConnectionOptions): Promise<Versions> {
  try {
    return await withMesh(options, readVersions)
  } catch (error) {
    return alone(toWeftError(error).message)
  }
}

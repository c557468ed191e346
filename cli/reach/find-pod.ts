/** Which pod somebody means who names it as POD, NAMESPACE/POD or KIND/NAME. */
import type { LiveMesh, LiveSidecar } from '../../api/live.ts'
import { WeftError } from '../../core/errors.ts'
import { kindOf } from '../workload-kinds.ts'
import { type MeshAccess, readPageOfAll } from './mesh-access.ts'

const usualNamespace = 'default'

/**
 * `namespace/pod`, among those with a sidecar. A pod that has none is taken as it is named, in namespace `default` unless
 * one is given. Throws CONFIG_INVALID, RESOURCE_UNKNOWN. Pure.
 */
export function podMeant(
  text: string,
  namespace: string | undefined,
  sidecars: readonly Pick<LiveSidecar, 'workload' | 'pod'>[],
): string {
  const [first = '', second, ...rest] = text.split('/')
  if (first === '' || second === '' || rest.length > 0)
    throw new WeftError('CONFIG_INVALID', `'${text}' is not like POD, NAMESPACE/POD or deploy/NAME`)
  const within = sidecars.filter(
    ({ workload }) => namespace === undefined || workload.namespace === namespace,
  )
  const key = ({ workload, pod }: (typeof within)[number]): string => `${workload.namespace}/${pod}`
  const kind = second === undefined ? undefined : kindOf(first)
  if (second !== undefined && kind === undefined) return text
  if (second !== undefined && kind !== 'Pod') {
    const found = within.find(({ workload }) => workload.kind === kind && workload.name === second)
    if (found !== undefined) return key(found)
    throw new WeftError(
      'RESOURCE_UNKNOWN',
      `no sidecar of ${text} in ${namespace === undefined ? 'any namespace' : `namespace ${namespace}`} is connected; weft stat lists those that are`,
    )
  }
  const pod = second ?? first
  const called = within.filter((sidecar) => sidecar.pod === pod).map(key)
  const usual = `${namespace ?? usualNamespace}/${pod}`
  if (called.length > 1 && !called.includes(usual))
    throw new WeftError('CONFIG_INVALID', `'${text}' may be ${called.join(' or ')}: say which one with -n`)
  return called.length === 1 ? (called[0] as string) : usual
}

/** Rejects with CONTROL_PLANE_UNREACHABLE, or what `podMeant` throws. */
export async function findPod(
  access: MeshAccess,
  text: string,
  namespace: string | undefined,
): Promise<string> {
  const meshes = await readPageOfAll<LiveMesh>(access, '/live/mesh')
  return podMeant(
    text,
    namespace,
    meshes.flatMap(({ sidecars }) => sidecars),
  )
}

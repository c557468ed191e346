/** What moves in the mesh, from all replicas of the control plane: each knows the sidecars that are connected to it. */
import type { LiveEdge, LiveInbound, LiveMesh, LiveWorkload } from '../api/live.ts'
import type { ControlPlaneConnection } from './reach/control-plane-connection.ts'

type Figures = Pick<
  LiveInbound,
  'requestsPerSecond' | 'successRatio' | 'p50Ms' | 'p95Ms' | 'p99Ms' | 'mtlsRatio'
>

/** Rejects as the connection does. */
export async function readLiveMesh(
  connection: ControlPlaneConnection,
  signal?: AbortSignal,
): Promise<LiveMesh> {
  return mergeMeshes(await connection.getJsonOfAll<LiveMesh>('/live/mesh', signal))
}

export function workloadId({ namespace, kind, name }: LiveWorkload): string {
  return `${namespace}/${kind}/${name}`
}

/** Rates add up, ratios count by rate; of quantiles the worst stands, as two cannot be made one. */
export function mergeFigures<T extends Figures>(a: T, b: T): T {
  const total = a.requestsPerSecond + b.requestsPerSecond
  const share = (x: number | null, y: number | null): number | null => {
    if (x === null || y === null) return x ?? y
    return total === 0 ? (x + y) / 2 : (x * a.requestsPerSecond + y * b.requestsPerSecond) / total
  }
  const worst = (x: number | null, y: number | null): number | null =>
    x === null || y === null ? (x ?? y) : Math.max(x, y)
  return {
    ...a,
    requestsPerSecond: total,
    successRatio: share(a.successRatio, b.successRatio),
    p50Ms: worst(a.p50Ms, b.p50Ms),
    p95Ms: worst(a.p95Ms, b.p95Ms),
    p99Ms: worst(a.p99Ms, b.p99Ms),
    mtlsRatio: share(a.mtlsRatio, b.mtlsRatio) ?? 0,
  }
}

function mergeBy<T>(all: readonly T[], keyOf: (entry: T) => string, merge: (a: T, b: T) => T): readonly T[] {
  const merged = new Map<string, T>()
  for (const entry of all) {
    const before = merged.get(keyOf(entry))
    merged.set(keyOf(entry), before === undefined ? entry : merge(before, entry))
  }
  return [...merged.values()]
}

export function mergeMeshes(meshes: readonly LiveMesh[]): LiveMesh {
  const edgeKey = ({ source, apex, backend }: LiveEdge): string => JSON.stringify([source, apex, backend])
  const mergeEdges = (a: LiveEdge, b: LiveEdge): LiveEdge => ({
    ...mergeFigures(a, b),
    openConnections: a.openConnections + b.openConnections,
  })
  return {
    atMs: Math.max(0, ...meshes.map(({ atMs }) => atMs)),
    windowMs: Math.max(0, ...meshes.map(({ windowMs }) => windowMs)),
    sidecars: meshes.flatMap(({ sidecars }) => sidecars),
    edges: mergeBy(
      meshes.flatMap(({ edges }) => edges),
      edgeKey,
      mergeEdges,
    ),
    inbound: mergeBy(
      meshes.flatMap(({ inbound }) => inbound),
      ({ workload, port }) => `${workloadId(workload)}:${port}`,
      mergeFigures,
    ),
  }
}

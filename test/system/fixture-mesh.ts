/** Made-up meshes for the dashboard: a small one with a split, and one of any size whose figures change each second. Pure. */
import type {
  LiveEdge,
  LiveInbound,
  LiveMesh,
  LiveService,
  LiveSidecar,
  LiveWorkload,
} from '../../api/live.ts'
import type { ServiceReport } from '../../control-plane/model/service-report.ts'
import type { SplitPage } from '../../control-plane/status/split-journal.ts'

export type FixtureMesh = {
  readonly mesh: (second: number, atMs: number) => LiveMesh
  readonly services: readonly ServiceReport[]
  readonly splits: (atMs: number) => readonly SplitPage[]
}

const hourMs = 3_600_000

function workload(namespace: string, name: string): LiveWorkload {
  return { namespace, name, kind: 'Deployment' }
}

function service(namespace: string, name: string): LiveService {
  return { namespace, name, port: 8080 }
}

function sidecar(of: LiveWorkload, atMs: number, leftMs: number | null, version = '0.1.0'): LiveSidecar {
  return {
    workload: of,
    pod: `${of.name}-7d9c6-x2`,
    identity: `spiffe://cluster.local/ns/${of.namespace}/sa/${of.name}`,
    version,
    connectedAtMs: atMs - 7 * hourMs,
    certificateNotAfterMs: leftMs === null ? null : atMs + leftMs,
  }
}

function report(namespace: string, name: string, pods: readonly string[]): ServiceReport {
  const ports = [{ name: 'http', port: 8080, readyEndpoints: pods.length, missing: undefined, rules: [] }]
  return { namespace, name, externalName: undefined, ports, pods }
}

type Route = readonly [from: LiveWorkload, apex: LiveService, backend: LiveService]

function edge([source, apex, backend]: Route, figures: Partial<LiveEdge>): LiveEdge {
  return {
    source,
    apex,
    backend,
    requestsPerSecond: 40,
    successRatio: 1,
    p50Ms: 2.1,
    p95Ms: 6.4,
    p99Ms: 11.8,
    mtlsRatio: 1,
    openConnections: 4,
    ...figures,
  }
}

const shop = ['client', 'web', 'catalog-v1', 'catalog-v2', 'inventory', 'payments', 'ledger'] as const
type ShopName = (typeof shop)[number]

const w = (name: ShopName): LiveWorkload => workload('shop', name)
const s = (name: string): LiveService => service('shop', name)

function shopEdges(second: number): readonly LiveEdge[] {
  const wobble = 1 + 0.05 * Math.sin(second)
  const v2 = 0.25 + 0.02 * Math.sin(second / 3)
  return [
    edge([w('client'), s('web'), s('web')], { requestsPerSecond: 120 * wobble }),
    edge([w('web'), s('catalog'), s('catalog-v1')], { requestsPerSecond: 118 * (1 - v2) * wobble }),
    edge([w('web'), s('catalog'), s('catalog-v2')], {
      requestsPerSecond: 118 * v2 * wobble,
      successRatio: 0.972,
      p99Ms: 48.2,
    }),
    edge([w('catalog-v1'), s('inventory'), s('inventory')], { requestsPerSecond: 86 * wobble }),
    edge([w('catalog-v2'), s('inventory'), s('inventory')], { requestsPerSecond: 29 * wobble }),
    edge([w('web'), s('payments'), s('payments')], {
      requestsPerSecond: 6.2,
      successRatio: 0.83,
      p99Ms: 1240,
      mtlsRatio: 0.4,
    }),
    edge([w('payments'), s('ledger'), s('ledger')], {
      requestsPerSecond: 0,
      successRatio: null,
      p50Ms: null,
      p95Ms: null,
      p99Ms: null,
      mtlsRatio: 0,
      openConnections: 3,
    }),
  ]
}

/** The clients of payments have no sidecar, but for web. */
function shopInbound(second: number): readonly LiveInbound[] {
  const figures = { port: 8080, p50Ms: 1.9, p95Ms: 5.8, p99Ms: 10.4 }
  return [
    ...shopEdges(second)
      .filter(({ backend, successRatio }) => backend.name !== 'payments' && successRatio !== null)
      .map(({ backend, requestsPerSecond, successRatio }) => ({
        ...figures,
        workload: workload('shop', backend.name),
        requestsPerSecond,
        successRatio,
        mtlsRatio: 1,
      })),
    { ...figures, workload: w('payments'), requestsPerSecond: 21, successRatio: 0.91, mtlsRatio: 0.12 },
  ]
}

function shopSplits(atMs: number): readonly SplitPage[] {
  return [
    {
      namespace: 'shop',
      name: 'catalog',
      apex: 'catalog',
      matches: [],
      conditions: [
        { type: 'Accepted', status: 'True', reason: 'Accepted', message: '' },
        {
          type: 'ResolvedRefs',
          status: 'False',
          reason: 'BackendUnknown',
          message: "backend 'catalog-v3' is no Service; it gets nothing",
        },
      ],
      ports: [
        {
          port: 8080,
          servedBy: 'split',
          backends: [
            {
              service: 'catalog-v1',
              weightMilli: 75_000,
              readyEndpoints: 1,
              sharePercent: 75,
              leftOut: undefined,
            },
            {
              service: 'catalog-v2',
              weightMilli: 25_000,
              readyEndpoints: 1,
              sharePercent: 25,
              leftOut: undefined,
            },
            {
              service: 'catalog-v3',
              weightMilli: 5_000,
              readyEndpoints: 0,
              sharePercent: 0,
              leftOut: 'BackendUnknown',
            },
          ],
        },
      ],
      events: [
        {
          type: 'Normal',
          reason: 'WeightsChanged',
          message: "splits 'catalog': catalog-v1 75, catalog-v2 25",
          count: 1,
          lastMs: atMs - 95_000,
        },
      ],
    },
  ]
}

export function emptyMesh(): FixtureMesh {
  const mesh = (_second: number, atMs: number): LiveMesh => ({
    atMs,
    windowMs: 10_000,
    sidecars: [],
    edges: [],
    inbound: [],
  })
  return { mesh, services: [], splits: () => [] }
}

/** client -> web -> catalog (a split over v1 and v2) -> inventory, and payments, which is not well. */
export function shopMesh(): FixtureMesh {
  const pods = (name: ShopName) => [`${name}-7d9c6-x2`]
  return {
    mesh: (second, atMs) => ({
      atMs,
      windowMs: 10_000,
      sidecars: shop
        .filter((name) => name !== 'ledger')
        .map((name) =>
          name === 'payments'
            ? sidecar(w(name), atMs, 11 * 60_000, '0.0.9')
            : sidecar(w(name), atMs, 17.5 * hourMs),
        ),
      edges: shopEdges(second),
      inbound: shopInbound(second),
    }),
    services: [
      report('shop', 'web', pods('web')),
      report('shop', 'catalog', [...pods('catalog-v1'), ...pods('catalog-v2')]),
      report('shop', 'catalog-v1', pods('catalog-v1')),
      report('shop', 'catalog-v2', pods('catalog-v2')),
      report('shop', 'inventory', pods('inventory')),
      report('shop', 'payments', pods('payments')),
      report('shop', 'ledger', []),
    ],
    splits: shopSplits,
  }
}

/** The same each time, as the layout has to be. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

const tiers = 6

/** Services in six tiers, each calling some of the tiers below it. */
export function largeMesh(services: number, calls: number): FixtureMesh {
  const next = numbers(7)
  const names = Array.from({ length: services }, (_, i) => {
    const tier = Math.floor((i * tiers) / services)
    return {
      tier,
      namespace: `team-${i % 8}`,
      name: `${['edge', 'web', 'api', 'core', 'data', 'store'][tier]}-${i}`,
    }
  })
  const any = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T
  const routes = new Map<string, Route>()
  while (routes.size < calls) {
    const from = any(names.filter(({ tier }) => tier < tiers - 1))
    const to = any(names.filter(({ tier }) => tier > from.tier && tier <= from.tier + 2))
    const callee = service(to.namespace, to.name)
    routes.set(`${from.name} ${to.name}`, [workload(from.namespace, from.name), callee, callee])
  }
  const base = [...routes.values()].map((route) => ({ route, rate: 1 + next() * 300, bad: next() < 0.04 }))
  return {
    mesh: (second, atMs) => ({
      atMs,
      windowMs: 10_000,
      sidecars: names.map(({ namespace, name }) => sidecar(workload(namespace, name), atMs, 12 * hourMs)),
      inbound: [],
      edges: base.map(({ route, rate, bad }, i) =>
        edge(route, {
          requestsPerSecond: rate * (1 + 0.3 * Math.sin(second + i)),
          successRatio: bad ? 0.9 + 0.08 * Math.sin(second + i) : 1,
          p99Ms: 5 + (rate % 40) * (1 + 0.2 * Math.sin(second + i)),
        }),
      ),
    }),
    services: names.map(({ namespace, name }) => report(namespace, name, [`${name}-7d9c6-x2`])),
    splits: () => [],
  }
}

/** TrafficSplits, from a file through control plane and sidecar to the applications. */
import { execFile } from 'node:child_process'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { SplitPage } from '../../control-plane/status/split-journal.ts'
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import { ManualClock } from '../../core/manual-clock.ts'
import { startHttpApplication } from '../support/http-application.ts'
import { HttpClient } from '../support/http-client.ts'
import { forwardRule, setEndpoints, startPlainDataPath } from '../support/plain-data-path.ts'
import { type FileMesh, startFileMesh } from '../support/file-mesh.ts'

const main = path.join(import.meta.dirname, '../../cli/main.ts')

let mesh: FileMesh

beforeAll(async () => {
  mesh = await startFileMesh(['catalog', 'v1', 'v2', 'narrow'], {
    empty: ['gone'],
    elsewhere: { narrow: 9090 },
  })
})

afterAll(() => mesh.stop())

/** Every test begins with an apex that serves itself. */
afterEach(async () => {
  for (const file of ['split.yaml', 'other.yaml']) mesh.plane.write(file, '')
  await expect.poll(async () => (await pages('')).length, { timeout: 10_000 }).toBe(0)
  await mesh.untilWeights('catalog', [{ catalog: 1 }])
})

function split(
  backends: string,
  { version = 'v1alpha2', name = 'catalog', apex = 'catalog', rest = '', metadata = '' } = {},
): string {
  return `apiVersion: split.smi-spec.io/${version}
kind: TrafficSplit
metadata: {name: ${name}, namespace: shop${metadata}}
spec: {service: ${apex}, backends: [${backends}]${rest}}
`
}

const tally = (count = 1000, request = {}) => mesh.client.tally('http://catalog.shop:8080/x', count, request)

/** Five standard deviations: missed once in two million runs. */
function expectShare(seen: Readonly<Record<string, number>>, name: string, share: number): void {
  const total = Object.values(seen).reduce((sum, value) => sum + value, 0)
  const deviation = Math.sqrt((share * (1 - share)) / total)
  expect((seen[name] ?? 0) / total).toBeGreaterThanOrEqual(share - 5 * deviation)
  expect((seen[name] ?? 0) / total).toBeLessThanOrEqual(share + 5 * deviation)
}

async function pages(query: string): Promise<readonly SplitPage[]> {
  const { text } = await fetchText(mesh.plane.running.adminPort, `/splits${query}`)
  return (JSON.parse(text) as { splits: SplitPage[] }).splits
}

/** The split as the control plane reports it. */
async function page(name = 'catalog'): Promise<SplitPage> {
  const [found] = await pages(`?namespace=shop&name=${name}`)
  if (found === undefined) throw new Error(`no split ${name}`)
  return found
}

const broken = ({ conditions }: SplitPage): readonly string[] =>
  conditions.filter(({ status }) => status === 'False').map(({ reason }) => reason)

describe('weights', () => {
  test.each([
    ['v1alpha1', '{service: v1, weight: 500m}, {service: v2, weight: 1500m}', { v1: 1, v2: 3 }],
    ['v1alpha1', '{service: v1, weight: "30"}, {service: v2, weight: "70"}', { v1: 3, v2: 7 }],
    ['v1alpha2', '{service: v1, weight: 90}, {service: v2, weight: 10}', { v1: 9, v2: 1 }],
    ['v1alpha3', '{service: v1, weight: 1}, {service: v2, weight: 1}', { v1: 1, v2: 1 }],
    ['v1alpha4', '{service: v1, weight: 0}, {service: v2, weight: 7}', { v1: 0, v2: 1 }],
  ])('of %s %s', async (version, backends, weights) => {
    mesh.plane.write('split.yaml', split(backends, { version }))
    await mesh.untilWeights('catalog', [weights])
    const seen = await tally()
    expect(Object.keys(seen).toSorted()).toEqual(
      Object.entries(weights).flatMap(([name, weight]) => (weight === 0 ? [] : [name])),
    )
    const total = weights.v1 + weights.v2
    expectShare(seen, 'v1', weights.v1 / total)
    expectShare(seen, 'v2', weights.v2 / total)
  })

  test('that are all zero leave the apex to itself, and that is said', async () => {
    mesh.plane.write('split.yaml', split('{service: v1, weight: 1}'))
    await mesh.untilWeights('catalog', [{ v1: 1 }])
    mesh.plane.write('split.yaml', split('{service: v1, weight: 0}, {service: v2, weight: 0}'))
    await mesh.untilWeights('catalog', [{ catalog: 1 }])
    expect(await tally(50)).toEqual({ catalog: 50 })
    expect(broken(await page())).toEqual(['AllWeightsZero'])
  })
})

describe('backends', () => {
  test('without the port of the apex are left out, with a condition, an event and a log line', async () => {
    mesh.plane.write('split.yaml', split('{service: v1, weight: 1}, {service: narrow, weight: 9}'))
    await mesh.untilWeights('catalog', [{ v1: 1 }])
    expect(await tally(50)).toEqual({ v1: 50 })
    const { ports, events, ...rest } = await page()
    expect(broken({ ports, events, ...rest })).toEqual(['BackendWithoutPort'])
    expect(ports[0]?.backends.map(({ service, leftOut }) => [service, leftOut])).toEqual([
      ['v1', undefined],
      ['narrow', 'BackendWithoutPort'],
    ])
    const message = "backend 'narrow' has no port 8080; it gets nothing there"
    expect(events.at(-1)).toMatchObject({ type: 'Warning', reason: 'BackendWithoutPort', message })
    expect(mesh.plane.logLines.filter((line) => line.includes(message))).toHaveLength(1)
  })

  test('that nobody is left of leave the apex to itself', async () => {
    mesh.plane.write('split.yaml', split('{service: ghost, weight: 1}, {service: narrow, weight: 9}'))
    await expect
      .poll(async () => broken(await page()), { timeout: 10_000 })
      .toEqual(['BackendUnknown', 'NoBackendLeft'])
    expect(await tally(50)).toEqual({ catalog: 50 })
  })

  test('without a ready endpoint give their share to the others', async () => {
    mesh.plane.write(
      'split.yaml',
      split('{service: v1, weight: 1}, {service: gone, weight: 4}, {service: v2, weight: 3}'),
    )
    await mesh.untilWeights('catalog', [{ v1: 1, gone: 4, v2: 3 }])
    const seen = await tally()
    expectShare(seen, 'v1', 0.25)
    expectShare(seen, 'v2', 0.75)
    expect((await page()).ports[0]?.backends.map(({ sharePercent }) => sharePercent)).toEqual([25, 0, 75])
  })

  test('that all have no ready endpoint are answered 503', async () => {
    mesh.plane.write('split.yaml', split('{service: gone, weight: 4}'))
    await mesh.untilWeights('catalog', [{ gone: 1 }])
    expect(await tally(10)).toEqual({ 503: 10 })
  })

  test('are not split again by a split of their own', async () => {
    mesh.plane.write('other.yaml', split('{service: v2, weight: 1}', { name: 'below', apex: 'v1' }))
    mesh.plane.write('split.yaml', split('{service: v1, weight: 1}'))
    await mesh.untilWeights('v1', [{ v2: 1 }])
    await mesh.untilWeights('catalog', [{ v1: 1 }])
    expect(await tally(50)).toEqual({ v1: 50 })
  })
})

test('of several splits for one apex the oldest counts; the others get a condition, and their turn', async () => {
  const aged = (day: number): string => `, creationTimestamp: "2026-01-0${day}T00:00:00Z"`
  mesh.plane.write('split.yaml', split('{service: v1, weight: 1}', { name: 'a', metadata: aged(2) }))
  await mesh.untilWeights('catalog', [{ v1: 1 }])
  mesh.plane.write('other.yaml', split('{service: v2, weight: 1}', { name: 'b', metadata: aged(1) }))
  await mesh.untilWeights('catalog', [{ v2: 1 }])
  expect(await tally(50)).toEqual({ v2: 50 })
  expect(broken(await page('a'))).toEqual(['Overruled', 'Overruled'])
  expect(broken(await page('b'))).toEqual([])
  mesh.plane.write('other.yaml', '')
  await mesh.untilWeights('catalog', [{ v1: 1 }])
  expect(broken(await page('a'))).toEqual([])
})

test('a route on the apex counts before a split, which gets a condition', async () => {
  mesh.plane.write('split.yaml', split('{service: v1, weight: 1}'))
  await mesh.untilWeights('catalog', [{ v1: 1 }])
  mesh.plane.write(
    'other.yaml',
    `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: shop}
spec:
  parentRefs: [{group: "", kind: Service, name: catalog}]
  rules: [{backendRefs: [{name: v2, port: 8080}]}]
`,
  )
  await mesh.untilWeights('catalog', [{ v2: 1 }])
  expect(await tally(20)).toEqual({ v2: 20 })
  expect(broken(await page())).toEqual(['RouteTakesPrecedence', 'RouteTakesPrecedence'])
  expect((await page()).ports[0]?.servedBy).toBe('route')
})

describe.each(['v1alpha1', 'v1alpha2', 'v1alpha3', 'v1alpha4'])('an HTTPRouteGroup of %s', (version) => {
  const matches =
    '[{name: beta, headers: {x-user: "beta-.*"}}, {name: api, pathRegex: "/api/[0-9]+", methods: [GET, PUT]}]'
  const group = (): string =>
    `apiVersion: specs.smi-spec.io/${version}\nkind: HTTPRouteGroup\nmetadata: {name: testers, namespace: shop}\n${
      version < 'v1alpha3' ? `matches: ${matches}` : `spec: {matches: ${matches}}`
    }\n`

  test('says what is split; the rest goes to the apex', async () => {
    mesh.plane.write('other.yaml', group())
    mesh.plane.write(
      'split.yaml',
      split('{service: v2, weight: 1}', {
        version: 'v1alpha3',
        rest: ', matches: [{kind: HTTPRouteGroup, name: testers, apiGroup: specs.smi-spec.io}]',
      }),
    )
    await mesh.untilWeights('catalog', [{ v2: 1 }, { v2: 1 }, { v2: 1 }, { catalog: 1 }])
    const served = async (url: string, request = {}): Promise<string> =>
      (await mesh.client.send(`http://catalog.shop:8080${url}`, request)).body
    expect(await served('/')).toBe('catalog')
    expect(await served('/', { headers: { 'X-User': 'beta-7' } })).toBe('v2')
    expect(await served('/', { headers: { 'x-user': 'alpha' } })).toBe('catalog')
    expect(await served('/api/7')).toBe('v2')
    expect(await served('/api/7/more?q=1')).toBe('v2')
    expect(await served('/api/7', { method: 'PUT' })).toBe('v2')
    expect(await served('/api/7', { method: 'POST' })).toBe('catalog')
    expect(await served('/v1/api/7')).toBe('catalog')
    mesh.plane.write('other.yaml', '')
    await mesh.untilWeights('catalog', [{ catalog: 1 }])
    expect(broken(await page())).toEqual(['RouteGroupUnknown'])
  })
})

/** Requests without a pause until `stop`, and how they came out. */
function underLoad() {
  let going = true
  const seen: Record<string, number> = {}
  const run = mesh.client.run(
    'http://catalog.shop:8080/x',
    4,
    () => going,
    ({ status, body }) => {
      const key = status === 200 ? body : `failed ${status}`
      seen[key] = (seen[key] ?? 0) + 1
    },
  )
  return {
    seen,
    stop: async () => {
      going = false
      await run
    },
  }
}

const closed = (): number => Object.values(mesh.apps).reduce((sum, app) => sum + app.closed, 0)

describe('a canary', () => {
  test('in the shape of Flagger, the whole object replaced at every step, costs no request', async () => {
    mesh.plane.write('split.yaml', split('{service: v2, weight: 0}, {service: v1, weight: 100}'))
    await mesh.untilWeights('catalog', [{ v2: 0, v1: 1 }])
    const before = closed()
    const load = underLoad()
    const steps = [
      [10, { v2: 1, v1: 9 }],
      [20, { v2: 1, v1: 4 }],
      [30, { v2: 3, v1: 7 }],
      [40, { v2: 2, v1: 3 }],
      [50, { v2: 1, v1: 1 }],
      [0, { v2: 0, v1: 1 }],
    ] as const
    for (const [weight, reduced] of steps) {
      const backends = `{service: v2, weight: "${weight}"}, {service: v1, weight: "${100 - weight}"}`
      mesh.plane.write('split.yaml', split(backends, { version: 'v1alpha1' }))
      await mesh.untilWeights('catalog', [reduced])
      const seen = await tally(400)
      expect(seen['failed']).toBeUndefined()
      expectShare(seen, 'v2', weight / 100)
    }
    await load.stop()
    expect(Object.keys(load.seen).filter((key) => key.startsWith('failed'))).toEqual([])
    expect(load.seen['v2']).toBeGreaterThan(0)
    expect(closed() - before, 'no connection was given up, not even at zero').toBe(0)
  })

  test('in the shape of Argo Rollouts, with the stable Service as apex and backend', async () => {
    for (const weight of [5, 50, 100]) {
      const backends = `{service: v2, weight: ${weight}}, {service: catalog, weight: ${100 - weight}}`
      mesh.plane.write('split.yaml', split(backends, { version: 'v1alpha1', name: 'rollout' }))
      await mesh.untilWeights('catalog', [
        { 5: { v2: 1, catalog: 19 }, 50: { v2: 1, catalog: 1 }, 100: { v2: 1, catalog: 0 } }[weight] ?? {},
      ])
      const seen = await tally(1000)
      expectShare(seen, 'v2', weight / 100)
      expect(Object.keys(seen).filter((name) => name !== 'v2' && name !== 'catalog')).toEqual([])
    }
    expect(broken(await page('rollout'))).toEqual([])
  })
})

describe('weights that change 1,000 times under load cost no request and no connection', () => {
  test('in the file', async () => {
    mesh.plane.write('split.yaml', split('{service: v1, weight: 1}, {service: v2, weight: 1}'))
    await mesh.untilWeights('catalog', [{ v1: 1, v2: 1 }])
    await tally(200)
    const before = closed()
    const load = underLoad()
    for (let change = 0; change < 1000; change++) {
      const weight = change % 101
      const backends = `{service: v1, weight: ${weight}}, {service: v2, weight: ${100 - weight}}`
      mesh.plane.write('split.yaml', split(backends))
      await mesh.client.send('http://catalog.shop:8080/x')
    }
    await mesh.untilWeights('catalog', [{ v1: 9, v2: 1 }])
    await load.stop()
    expect(Object.keys(load.seen).toSorted()).toEqual(['v1', 'v2'])
    expect(closed() - before).toBe(0)
  })

  test('in a sidecar, each of them in force for at least one request', async () => {
    const [v1, v2] = [await startHttpApplication('v1'), await startHttpApplication('v2')]
    // Its time stands still: an idle connection is given up after 4 s, which a busy machine may need.
    const { dataPath, port, stop } = await startPlainDataPath([v1.port], { clock: new ManualClock() })
    setEndpoints(dataPath, 'other', [v2.port])
    const client = new HttpClient(port)
    const seen: Record<string, number> = {}
    let changes = 0
    const setWeights = (weight: number): void =>
      dataPath.setRoutes('app.test:80', [
        {
          domains: ['*'],
          rules: [forwardRule({ cluster: 'app', weight }, { cluster: 'other', weight: 100 - weight })],
        },
      ])
    await client.run(
      'http://app.test/',
      8,
      () => changes < 1000,
      ({ status, body }) => {
        setWeights(changes++ % 101)
        seen[status === 200 ? body : `failed ${status}`] =
          (seen[status === 200 ? body : `failed ${status}`] ?? 0) + 1
      },
    )
    expect(Object.keys(seen).toSorted()).toEqual(['v1', 'v2'])
    expect(v1.closed + v2.closed).toBe(0)
    expect(v1.opened, 'one for each request at a time').toBeLessThanOrEqual(8)
    expect(v2.opened).toBeLessThanOrEqual(8)
    client.close()
    stop()
    await Promise.all([v1.stop(), v2.stop()])
  })
})

describe('weft split', () => {
  function weft(...args: readonly string[]): Promise<{ status: number; stdout: string; stderr: string }> {
    const admin = `--admin=127.0.0.1:${mesh.plane.running.adminPort}`
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        [main, 'split', admin, ...args],
        { timeout: 20_000 },
        (error, stdout, stderr) =>
          resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr }),
      )
    })
  }

  test('shows weights, shares, what is left out and why, conditions and events', async () => {
    mesh.plane.write(
      'split.yaml',
      split('{service: v1, weight: 500m}, {service: v2, weight: 1500m}, {service: narrow, weight: 1}', {
        version: 'v1alpha1',
      }),
    )
    await mesh.untilWeights('catalog', [{ v1: 1, v2: 3 }])
    const { status, stdout } = await weft('catalog', '-n', 'shop')
    expect(status).toBe(0)
    expect(stdout.replaceAll(/\d+s ago|\b0 ago/g, 'N ago')).toBe(`\
NAMESPACE  NAME     APEX     PORT  BACKEND  WEIGHT  SHARE  READY  REMARK
shop       catalog  catalog  8080  v1       500m    25.0%  1
shop       catalog  catalog  8080  v2       1500m   75.0%  1
shop       catalog  catalog  8080  narrow   1       0.0%   0      has not this port

shop/catalog
  ResolvedRefs=False (BackendWithoutPort): backend 'narrow' has no port 8080; it gets nothing there
  N ago Normal Created: splits 'catalog': v1 0.5, v2 1.5, narrow 1
  N ago Warning BackendWithoutPort: backend 'narrow' has no port 8080; it gets nothing there
`)
  })

  test('gives programs JSON', async () => {
    mesh.plane.write('split.yaml', split('{service: v1, weight: 1}'))
    await mesh.untilWeights('catalog', [{ v1: 1 }])
    const [found, ...others] = JSON.parse((await weft('-o', 'json')).stdout) as SplitPage[]
    expect(others).toEqual([])
    expect(found).toMatchObject({
      namespace: 'shop',
      name: 'catalog',
      ports: [{ port: 8080, servedBy: 'split', backends: [{ service: 'v1', sharePercent: 100 }] }],
      events: [{ reason: 'Created', count: 1 }],
    })
  })

  test('says when there is none, when there is no control plane, and when the address is none', async () => {
    expect(await weft()).toMatchObject({ status: 0, stdout: 'There are no TrafficSplits.\n' })
    expect(await weft('ghost')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(
        /^weft: RESOURCE_UNKNOWN: there is no TrafficSplit 'ghost' in any namespace/,
      ),
    })
    expect(await weft('--admin=127.0.0.1:1')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^weft: CONTROL_PLANE_UNREACHABLE: /),
    })
    expect(await weft('--admin=nowhere')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(
        /^weft: CONFIG_INVALID: --control-plane: 'nowhere' is not like 127.0.0.1:9990/,
      ),
    })
  })
})

import { describe, expect, test } from 'vitest'
import { rootCaSecret } from '../../api/xds/naming.ts'
import type { ResourceKind } from '../../api/xds/type-urls.ts'
import { encode } from '../../api/xds/codec.ts'
import { ManualClock } from '../../core/manual-clock.ts'
import type { StoredResource } from './last-known-good.ts'
import { MeshConfig } from './mesh-config.ts'
import {
  badCluster,
  cluster,
  destination as name,
  endpoints,
  listener,
  namedCluster,
  recordingSink,
  routeByRegex,
  routes,
  routeTo,
} from './test-resources.ts'
import { maxUnproven } from './unproven-names.ts'

function setUp(isConnected = true) {
  const plane = { isConnected }
  const { sink, calls, dnsAnswered } = recordingSink()
  const wanted = new Set<string>()
  const held: string[] = []
  const changes: boolean[] = []
  const clock = new ManualClock()
  const config = new MeshConfig({
    sink,
    clock,
    subscriptions: {
      subscribe: (kind, resource) => void wanted.add(`${kind} ${resource}`),
      unsubscribe: (kind, resource) => void wanted.delete(`${kind} ${resource}`),
      known: (kind, resource, version) => void held.push(`${kind} ${resource} ${version}`),
    },
    connected: () => plane.isConnected,
    inboundListener: 'inbound/shop/web',
    onTrustBundle: () => undefined,
    onChange: (ownSide) => void changes.push(ownSide),
  })
  let version = 0
  const receive = (kind: ResourceKind, resource: string, bytes: Buffer) =>
    config.receive(kind, [{ name: resource, version: String(++version), bytes }], [])
  return { config, calls, dnsAnswered, wanted, held, changes, clock, receive, plane }
}

function makeKnown(mesh: ReturnType<typeof setUp>): void {
  mesh.receive('listener', name, listener())
  mesh.receive('routeConfiguration', routes, routeTo('a'))
  mesh.receive('cluster', 'a', cluster('a'))
  mesh.receive('clusterLoadAssignment', 'a', endpoints('a'))
}

describe('a destination', () => {
  test('is asked for on first use, and known once routes, clusters and endpoints are there', async () => {
    const mesh = setUp()
    const resolved = mesh.config.resolve(name)
    expect([...mesh.wanted]).toEqual([
      `secret ${rootCaSecret}`,
      'listener inbound/shop/web',
      `listener ${name}`,
    ])
    makeKnown(mesh)
    expect(await resolved).toBe('known')
    expect(mesh.calls).toEqual(['cluster a', 'endpoints a', `routes ${name}`])
  })

  test('keeps its old routes until the clusters of the new ones are there: make before break', () => {
    const mesh = setUp()
    void mesh.config.resolve(name)
    makeKnown(mesh)
    mesh.calls.length = 0
    mesh.receive('routeConfiguration', routes, routeTo('b'))
    expect(mesh.calls).toEqual([])
    mesh.receive('cluster', 'b', cluster('b'))
    expect(mesh.calls).toEqual(['cluster b'])
    mesh.receive('clusterLoadAssignment', 'b', endpoints('b'))
    expect(mesh.calls).toEqual(['cluster b', 'endpoints b', `routes ${name}`, 'remove cluster a'])
    expect(mesh.wanted.has('cluster a')).toBe(false)
  })

  test('waits for a cluster of names until these were asked for', () => {
    const mesh = setUp()
    void mesh.config.resolve(name)
    mesh.receive('listener', name, listener())
    mesh.receive('routeConfiguration', routes, routeTo('a'))
    mesh.receive('cluster', 'a', namedCluster('a'))
    expect(mesh.calls).toEqual(['cluster a', 'names a'])
    mesh.dnsAnswered('a')
    mesh.dnsAnswered('a')
    expect(mesh.calls).toEqual(['cluster a', 'names a', `routes ${name}`])
  })

  test('goes ahead after 5 s without a cluster that never comes', () => {
    const mesh = setUp()
    void mesh.config.resolve(name)
    mesh.receive('listener', name, listener())
    mesh.receive('routeConfiguration', routes, routeTo('ghost'))
    mesh.clock.advance(4999)
    expect(mesh.calls).toEqual([])
    mesh.clock.advance(1)
    expect(mesh.calls).toEqual([`routes ${name}`])
  })

  test('that the mesh does not know is unknown, and becomes known when it is created', async () => {
    const mesh = setUp()
    const resolved = mesh.config.resolve(name)
    mesh.config.receive('listener', [], [name])
    expect(await resolved).toBe('unknown')
    makeKnown(mesh)
    expect(await mesh.config.resolve(name)).toBe('known')
  })

  test('is given up after 1 s while the control plane is away', async () => {
    const mesh = setUp(false)
    const resolved = mesh.config.resolve(name)
    mesh.clock.advance(1000)
    expect(await resolved).toBe('unavailable')
  })

  test('is waited for longer when the control plane comes back within that time', async () => {
    const mesh = setUp(false)
    const resolved = mesh.config.resolve(name)
    mesh.clock.advance(900)
    mesh.plane.isConnected = true
    mesh.clock.advance(4_000)
    makeKnown(mesh)
    expect(await resolved).toBe('known')
  })

  test('is given up after 5 s by a control plane that does not answer', async () => {
    const mesh = setUp()
    const outcomes: string[] = []
    void mesh.config.resolve(name).then((outcome) => outcomes.push(outcome))
    await mesh.clock.advanceAsync(4_999)
    expect(outcomes).toEqual([])
    await mesh.clock.advanceAsync(1)
    expect(outcomes).toEqual(['unavailable'])
  })

  test('is dropped after 10 idle minutes, but never while the control plane is away', () => {
    const here = setUp()
    const away = setUp(false)
    for (const mesh of [here, away]) {
      void mesh.config.resolve(name)
      makeKnown(mesh)
      mesh.clock.advance(700_000)
    }
    expect(here.calls).toContain(`remove routes ${name}`)
    expect(away.calls).not.toContain(`remove routes ${name}`)
  })
})

test('a bad resource is refused with its path, its last good version stays, and the good one beside it counts', () => {
  const mesh = setUp()
  void mesh.config.resolve(name)
  makeKnown(mesh)
  mesh.calls.length = 0
  const problems = mesh.config.receive(
    'cluster',
    [
      { name: 'a', version: 'x', bytes: badCluster('a') },
      { name: 'b', version: 'y', bytes: cluster('b') },
    ],
    [],
  )
  expect(problems).toEqual(['a: type: ORIGINAL_DST is not supported'])
  expect(mesh.calls[0]).toBe('cluster b')
  expect(
    mesh.config.snapshot().find((entry) => entry.name === 'a' && entry.kind === 'cluster')?.version,
  ).not.toBe('x')
})

test.each([
  ['((a{50}){50}){50}', 'regex repeats too much'],
  ['(?=a)', 'error parsing regexp'],
  ['a'.repeat(1025), 'regex is longer than 1024 characters'],
])(
  'a route whose regex cannot be used (%s) is refused with its path, and the routes in force stay',
  (regex, reason) => {
    const mesh = setUp()
    void mesh.config.resolve(name)
    makeKnown(mesh)
    mesh.calls.length = 0
    const [problem] = mesh.receive('routeConfiguration', routes, routeByRegex(regex))
    expect(problem).toContain(`${routes}: virtual_hosts[0].routes[0].match.safe_regex: ${reason}`)
    expect(mesh.calls).toEqual([])
  },
)

describe('the connections of a destination', () => {
  test('go in before its requests, once their clusters are there, too', async () => {
    const mesh = setUp()
    const resolved = mesh.config.resolve(name)
    mesh.receive('listener', name, listener(['a', 'b']))
    for (const [kind, resource, bytes] of [
      ['routeConfiguration', routes, routeTo('a')],
      ['cluster', 'a', cluster('a')],
      ['clusterLoadAssignment', 'a', endpoints('a')],
    ] as const)
      mesh.receive(kind, resource, bytes)
    expect(mesh.calls).toEqual(['cluster a', 'endpoints a'])
    mesh.receive('cluster', 'b', cluster('b'))
    mesh.receive('clusterLoadAssignment', 'b', endpoints('b'))
    expect(await resolved).toBe('known')
    expect(mesh.calls.slice(-2)).toEqual([`tcp route ${name}`, `routes ${name}`])
  })

  test('change without its routes, and their old clusters leave', () => {
    const mesh = setUp()
    void mesh.config.resolve(name)
    makeKnown(mesh)
    mesh.receive('listener', name, listener(['b']))
    mesh.receive('cluster', 'b', cluster('b'))
    mesh.receive('clusterLoadAssignment', 'b', endpoints('b'))
    mesh.calls.length = 0
    mesh.receive('listener', name, listener(['a']))
    expect(mesh.calls).toEqual([`tcp route ${name}`, 'remove cluster b'])
  })

  test('that lead nowhere are refused, and the old ones stay', () => {
    const mesh = setUp()
    void mesh.config.resolve(name)
    mesh.receive('listener', name, listener(['a']))
    makeKnown(mesh)
    mesh.calls.length = 0
    const path = `${name}: default_filter_chain.filters[0].typed_config.weighted_clusters`
    expect(mesh.receive('listener', name, listener([]))).toEqual([`${path}: all weights are zero`])
    expect(mesh.receive('listener', name, listener(['']))).toEqual([`${path}.clusters[0].name: is empty`])
    expect(mesh.calls).toEqual([])
  })
})

test('an unchanged resource is not applied again', () => {
  const mesh = setUp()
  void mesh.config.resolve(name)
  makeKnown(mesh)
  const before = mesh.calls.length
  for (const { kind, ...resource } of mesh.config.snapshot()) mesh.config.receive(kind, [resource], [])
  expect(mesh.calls).toHaveLength(before)
})

describe('what was kept', () => {
  const kept = (): readonly StoredResource[] => {
    const mesh = setUp()
    void mesh.config.resolve(name)
    makeKnown(mesh)
    return mesh.config.snapshot()
  }

  test('comes back complete, without a control plane', async () => {
    const mesh = setUp(false)
    mesh.config.restore(kept())
    expect(await mesh.config.resolve(name)).toBe('known')
    expect(mesh.held.toSorted()).toEqual([
      'cluster a 3',
      'clusterLoadAssignment a 4',
      `listener ${name} 1`,
      `routeConfiguration ${routes} 2`,
    ])
  })

  describe("of this workload's own side", () => {
    const own = 'inbound/shop/web'
    const inbound = encode('envoy.config.listener.v3.Listener', { name: own, trafficDirection: 'INBOUND' })
    const stored: StoredResource = { kind: 'listener', name: own, version: '1', bytes: inbound }
    const restored = () => {
      const mesh = setUp(false)
      mesh.config.restore([stored])
      const told = (): number => mesh.calls.filter((call) => call.startsWith('inbound ')).length
      return { ...mesh, told }
    }

    test('waits for what the control plane says now, though that be the same', () => {
      const { receive, clock, told, held, config } = restored()
      expect([told(), held, config.snapshot()]).toEqual([0, [], [stored]])
      receive('listener', own, inbound)
      expect([told(), config.snapshot().length]).toEqual([1, 1])
      clock.advance(10_000)
      expect(told()).toBe(1)
    })

    test('is in force after 2 s without a word', () => {
      const { clock, told, config } = restored()
      clock.advance(1_999)
      expect(told()).toBe(0)
      clock.advance(1)
      expect([told(), config.snapshot()]).toEqual([1, [stored]])
    })

    test('is written down at once when it changes, other things soon', () => {
      const { receive, changes } = restored()
      receive('listener', own, inbound)
      receive('cluster', 'a', cluster('a'))
      expect(changes).toEqual([true, false])
    })
  })

  test('but cannot be read, or is not used any more, is not claimed: the control plane has to send it', () => {
    const mesh = setUp(false)
    const resources = kept().map((entry) =>
      entry.kind === 'cluster' ? { ...entry, bytes: badCluster('a') } : entry,
    )
    const unused: StoredResource = { kind: 'cluster', name: 'b', version: '9', bytes: cluster('b') }
    mesh.config.restore([...resources, unused])
    expect(mesh.wanted.has('cluster a')).toBe(true)
    expect(mesh.held.filter((line) => line.startsWith('cluster '))).toEqual([])
  })
})

describe('names that the mesh does not know', () => {
  const unknown = (i: number): string => `attacker-${i}.test:80`
  const flood = (mesh: ReturnType<typeof setUp>): void => {
    for (let i = 0; i < 2 * maxUnproven; i++) {
      void mesh.config.resolve(unknown(i))
      mesh.config.receive('listener', [], [unknown(i)])
    }
  }

  test('are only so many: the longest unused are forgotten, and what is known stays', async () => {
    const mesh = setUp()
    void mesh.config.resolve(name)
    makeKnown(mesh)
    flood(mesh)
    expect(mesh.wanted.has(`listener ${unknown(0)}`)).toBe(false)
    expect(mesh.wanted.has(`listener ${unknown(2 * maxUnproven - 1)}`)).toBe(true)
    expect([...mesh.wanted].filter((entry) => entry.includes('attacker'))).toHaveLength(maxUnproven)
    expect(await mesh.config.resolve(name)).toBe('known')
    expect(mesh.wanted.has('cluster a')).toBe(true)
  })

  test('that were forgotten while somebody waited are given up, and asked for again', async () => {
    const mesh = setUp()
    const first = mesh.config.resolve(unknown(0))
    for (let i = 1; i <= maxUnproven; i++) void mesh.config.resolve(unknown(i))
    expect(await first).toBe('unavailable')
    void mesh.config.resolve(unknown(0))
    expect(mesh.wanted.has(`listener ${unknown(0)}`)).toBe(true)
  })
})

import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../core/manual-clock.ts'
import { plainEndpoint } from '../cluster/cluster-config.ts'
import { DnsEndpoints, type DnsHosts } from './dns-endpoints.ts'
import { ipv4Preferred, type Resolved } from './host-resolver.ts'

const hostsOf = (names: readonly string[], more: Partial<DnsHosts> = {}): DnsHosts => ({
  hosts: names.map((name) => plainEndpoint(name, 80)),
  logical: false,
  choice: ipv4Preferred,
  refreshMs: 5_000,
  respectTtl: true,
  ...more,
})

/** A name server as a map: what is not in it fails. */
function setUp() {
  const clock = new ManualClock()
  const answers = new Map<string, Resolved>()
  const told: string[] = []
  const failed: string[] = []
  const asked: string[] = []
  const endpoints = new DnsEndpoints({
    clock,
    resolver: {
      resolve: (host) => {
        asked.push(host)
        const answer = answers.get(host)
        return answer === undefined ? Promise.reject(new Error('gone')) : Promise.resolve(answer)
      },
    },
    onFailed: (_cluster, host) => void failed.push(host),
    onResolved: () => undefined,
  })
  const watch = (dns: DnsHosts) =>
    endpoints.watch('c', dns, (found) => void told.push(found.map(({ address }) => address).join(' ')))
  const answer = (host: string, addresses: readonly string[], ttlMs?: number) =>
    answers.set(host, { addresses, ttlMs })
  /** Time passes, and answers come. */
  const pass = async (ms: number) => {
    clock.advance(ms)
    for (let i = 0; i < 5; i++) await Promise.resolve()
  }
  return { endpoints, answers, answer, told, failed, asked, watch, pass }
}

describe('the endpoints of a cluster', () => {
  test('are the addresses of all its names, told once all were asked for, and when they change', async () => {
    const { watch, answer, told, pass } = setUp()
    answer('a', ['10.0.0.2', '10.0.0.1'], 2_000)
    answer('b', ['10.0.0.3'], 60_000)
    watch(hostsOf(['a', 'b']))
    expect(told).toEqual([])
    await pass(0)
    expect(told).toEqual(['10.0.0.1 10.0.0.2 10.0.0.3'])
    // The same in another order is no change.
    answer('a', ['10.0.0.1', '10.0.0.2'], 2_000)
    await pass(2_000)
    answer('a', ['10.0.0.9'], 2_000)
    await pass(2_000)
    expect(told).toEqual(['10.0.0.1 10.0.0.2 10.0.0.3', '10.0.0.9 10.0.0.3'])
  })

  test('stay when a name cannot be resolved any more, and follow again when it can', async () => {
    const { watch, answer, answers, told, failed, pass } = setUp()
    answer('a', ['10.0.0.1'], 1_000)
    watch(hostsOf(['a']))
    await pass(0)
    answers.delete('a')
    for (let i = 0; i < 20; i++) await pass(1_000)
    expect(failed.length).toBeGreaterThan(1)
    expect(told).toEqual(['10.0.0.1'])
    answer('a', ['10.0.0.2'], 1_000)
    await pass(30_000)
    expect(told).toEqual(['10.0.0.1', '10.0.0.2'])
  })

  test('are none of a name that never resolved, which is told too: nobody waits for it', async () => {
    const { watch, answer, told, pass } = setUp()
    watch(hostsOf(['a']))
    await pass(0)
    expect(told).toEqual([''])
    answer('a', ['10.0.0.1'])
    await pass(2_000)
    expect(told).toEqual(['', '10.0.0.1'])
  })

  test('are one for a logical cluster: the first that is named', async () => {
    const { watch, answer, told, pass } = setUp()
    answer('a', ['10.0.0.2', '10.0.0.1'])
    watch(hostsOf(['a'], { logical: true }))
    await pass(0)
    expect(told).toEqual(['10.0.0.2'])
  })

  test('are kept over a change of the settings, and told at once', async () => {
    const { watch, answer, answers, told, pass } = setUp()
    answer('a', ['10.0.0.1'])
    watch(hostsOf(['a']))
    await pass(0)
    answers.delete('a')
    watch(hostsOf(['a'], { refreshMs: 9_000 }))
    await pass(0)
    expect(told).toEqual(['10.0.0.1', '10.0.0.1'])
  })
})

describe('a name is looked up again', () => {
  test.each<[string, Partial<DnsHosts>, number | undefined, number]>([
    ['after the time of its answer', {}, 7_000, 7_000],
    ['after the time of the cluster when the answer has none', {}, undefined, 5_000],
    ['after that too when answers do not count', { respectTtl: false }, 7_000, 5_000],
    ['not at once, whatever the answer says', {}, 0, 1_000],
    ['in minutes, whatever the answer says', {}, 1e9, 300_000],
  ])('%s', async (_when, more, ttlMs, afterMs) => {
    const { watch, answer, asked, pass } = setUp()
    answer('a', ['10.0.0.1'], ttlMs)
    watch(hostsOf(['a'], more))
    await pass(0)
    await pass(afterMs - 1)
    expect(asked).toHaveLength(1)
    await pass(1)
    expect(asked).toHaveLength(2)
  })

  test('never after the cluster is gone', async () => {
    const { endpoints, watch, answer, asked, pass } = setUp()
    answer('a', ['10.0.0.1'])
    watch(hostsOf(['a']))
    await pass(0)
    endpoints.unwatch('c')
    await pass(60_000)
    expect(asked).toHaveLength(1)
  })
})

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLog } from '../../../core/log.ts'
import { ManualClock } from '../../../core/manual-clock.ts'
import { OutageLog } from '../../../core/outage-log.ts'
import { KubernetesClient } from '../../../core/kubernetes/api-client.ts'
import type { Change } from '../../model/objects.ts'
import { namespaces } from './kinds/namespaces.ts'
import { pods } from './kinds/pods.ts'
import { trafficSplits } from './kinds/traffic-splits.ts'
import type { Refusal } from './object-store.ts'
import { Reflector } from './reflector.ts'
import { type ScriptedApiServer, startScriptedApiServer } from './scripted-api-server.ts'
import type { WatchedKind } from './watched-kind.ts'

const log = createLog({ process: 'test', level: 'silent' })

let server: ScriptedApiServer
let clock: ManualClock
/** The connection's: what waits on the other one is the reflector itself. */
let wireClock: ManualClock
let client: KubernetesClient
let reflector: Reflector
let changes: Change[]
let refusals: Refusal[]

beforeEach(async () => {
  server = await startScriptedApiServer()
  clock = new ManualClock()
  wireClock = new ManualClock()
  changes = []
  refusals = []
  client = new KubernetesClient({ ...server.connection, token: () => 'secret' }, wireClock)
})

afterEach(async () => {
  const stopped = reflector.stop()
  await server.stop()
  await stopped
  client.close()
})

function start(kind: WatchedKind, random = () => 0.5): void {
  reflector = new Reflector({
    kind,
    client,
    clock,
    log,
    outages: new OutageLog(log),
    random,
    onChanges: (batch) => changes.push(...batch),
    onRefused: (refusal) => refusals.push(refusal),
    onSynced: () => undefined,
  })
  reflector.start()
}

const namespace = (name: string, version: string, labels = {}) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, resourceVersion: version, labels },
})

const list = (version: string, items: readonly object[], next = '') => ({
  metadata: { resourceVersion: version, continue: next },
  items,
})

const expired = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' }

const seen = (): readonly string[] =>
  changes.map(({ key, value }) => (value === undefined ? `-${key}` : `+${key}`))

async function untilSeen(expected: readonly string[]): Promise<void> {
  await expect.poll(seen).toEqual(expected)
}

/** Answers the first list, and gives the watch that follows. */
async function untilWatching(items: readonly object[]) {
  ;(await server.next()).reply(200, list('10', items))
  return server.next()
}

/** Time passes until the reflector has waited enough; gives how long that was. */
async function untilNext(): Promise<number> {
  await expect.poll(() => clock.pending).toBe(1)
  const begunMs = clock.monotonicMs()
  while (clock.pending === 1) clock.advance(10)
  return clock.monotonicMs() - begunMs
}

describe('listing', () => {
  it('takes page after page, then watches from the version of the list', async () => {
    start(namespaces)
    const first = await server.next()
    expect([first.path, first.query.get('limit'), first.headers.authorization]).toEqual([
      '/api/v1/namespaces',
      '500',
      'Bearer secret',
    ])
    first.reply(200, list('7', [namespace('a', '900')], 'more'))
    const second = await server.next()
    expect(second.query.get('continue')).toBe('more')
    expect(reflector.synced).toBe(false)
    second.reply(200, list('7', [namespace('b', '901')]))
    const watch = await server.next()
    expect([watch.query.get('watch'), watch.query.get('resourceVersion')]).toEqual(['1', '7'])
    expect(watch.query.get('allowWatchBookmarks')).toBe('true')
    expect(reflector.synced).toBe(true)
    expect(seen()).toEqual(['+a', '+b'])
  })

  it('begins anew when the pages that are left are compacted away, at last without pages', async () => {
    start(namespaces)
    for (let i = 0; i < 2; i++) {
      ;(await server.next()).reply(200, list('7', [namespace('a', '1')], 'more'))
      ;(await server.next()).reply(410, expired)
      await untilNext()
    }
    const whole = await server.next()
    expect(whole.query.get('limit')).toBeNull()
    whole.reply(200, list('9', [namespace('a', '1')]))
    expect((await server.next()).query.get('resourceVersion')).toBe('9')
    expect(seen()).toEqual(['+a'])
  })

  it('asks only for what the mesh can use', async () => {
    start(pods)
    const request = await server.next()
    expect(request.query.get('fieldSelector')).toBe('status.phase!=Succeeded,status.phase!=Failed')
  })

  it('waits as long as a 429 asks for, but not for so long that it would not be up to date 5 s after', async () => {
    start(namespaces)
    ;(await server.next()).reply(429, {}, { 'retry-after': '1' })
    const askedMs = await untilNext()
    expect(askedMs).toBeGreaterThanOrEqual(1_000)
    expect(askedMs).toBeLessThan(2_000)
    ;(await server.next()).reply(429, {}, { 'retry-after': '30' })
    const longestMs = await untilNext()
    expect(longestMs).toBeGreaterThanOrEqual(2_000)
    expect(longestMs).toBeLessThanOrEqual(2_500)
    ;(await server.next()).reply(200, list('7', []))
    await server.next()
    expect(reflector.synced).toBe(true)
  })

  it('tries again later and later while nobody answers, never more than 2 s later', async () => {
    start(namespaces)
    const waits: number[] = []
    for (let i = 0; i < 7; i++) {
      ;(await server.next()).destroy()
      waits.push(await untilNext())
    }
    expect(waits[0]).toBeLessThanOrEqual(110)
    expect(waits.at(-1)).toBeGreaterThan(900)
    expect(Math.max(...waits)).toBeLessThanOrEqual(1_010)
  })
})

it('comes back quickly to an API server that answers again, if only to say that it is starting', async () => {
  start(namespaces)
  for (let i = 0; i < 6; i++) {
    ;(await server.next()).destroy()
    await untilNext()
  }
  ;(await server.next()).reply(503, {})
  expect(await untilNext()).toBeLessThanOrEqual(110)
})

describe('watching', () => {
  it('passes on what is made, changed and deleted, and leaves out what changes nothing', async () => {
    start(namespaces)
    const watch = await untilWatching([namespace('a', '1')])
    watch.stream(
      { type: 'ADDED', object: namespace('b', '11') },
      { type: 'MODIFIED', object: namespace('a', '12', { team: 'x' }) },
      { type: 'MODIFIED', object: namespace('a', '13', { 'weft.dev/inject': 'enabled' }) },
      { type: 'DELETED', object: namespace('b', '14') },
    )
    await untilSeen(['+a', '+b', '+a', '-b'])
  })

  it('goes on from the newest event or bookmark when the server ends the watch', async () => {
    start(namespaces)
    const watch = await untilWatching([])
    watch.stream({ type: 'ADDED', object: namespace('b', '11') })
    watch.stream({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '50' } } })
    watch.end()
    const next = await server.next()
    expect([next.query.get('watch'), next.query.get('resourceVersion')]).toEqual(['1', '50'])
  })

  it.each([
    [
      'in the stream',
      (watch: Awaited<ReturnType<typeof untilWatching>>) => watch.stream({ type: 'ERROR', object: expired }),
    ],
    ['as the answer', (watch: Awaited<ReturnType<typeof untilWatching>>) => watch.reply(410, expired)],
  ])('lists anew after a 410 %s, and takes away what went meanwhile', async (_where, answer) => {
    start(namespaces)
    const watch = await untilWatching([namespace('gone', '1'), namespace('stays', '2')])
    answer(watch)
    watch.end()
    await untilNext()
    const relist = await server.next()
    expect(relist.query.get('watch')).toBeNull()
    relist.reply(200, list('99', [namespace('stays', '2'), namespace('new', '98')]))
    expect((await server.next()).query.get('resourceVersion')).toBe('99')
    expect(seen()).toEqual(['+gone', '+stays', '+new', '-gone'])
  })

  it('waits as long as an ERROR event asks for, and goes on from where it was', async () => {
    start(namespaces)
    const watch = await untilWatching([])
    watch.stream({ type: 'ERROR', object: { code: 429, details: { retryAfterSeconds: 2 } } })
    watch.end()
    expect(await untilNext()).toBeGreaterThanOrEqual(2_000)
    expect((await server.next()).query.get('resourceVersion')).toBe('10')
  })

  it('believes nothing that follows an ERROR event in the same stream', async () => {
    start(namespaces)
    const watch = await untilWatching([])
    watch.stream({ type: 'ERROR', object: expired }, { type: 'ADDED', object: namespace('b', '11') })
    watch.end()
    await untilNext()
    expect((await server.next()).query.get('watch')).toBeNull()
    expect(seen()).toEqual([])
  })

  it('takes a stream that says nothing for two minutes for dead', async () => {
    start(namespaces)
    const watch = await untilWatching([])
    watch.stream({ type: 'ADDED', object: namespace('a', '20') })
    await untilSeen(['+a'])
    for (let i = 0; i < 119; i++) wireClock.advance(1_000)
    watch.stream({ type: 'ADDED', object: namespace('b', '30') })
    await untilSeen(['+a', '+b'])
    wireClock.advance(119_000)
    expect(watch.closed).toBe(false)
    wireClock.advance(2_000)
    await expect.poll(() => watch.closed).toBe(true)
    await untilNext()
    expect((await server.next()).query.get('resourceVersion')).toBe('30')
  })

  it.each([
    ['no JSON', 'nonsense\n'],
    ['an event without a version', '{"type":"ADDED","object":{}}\n'],
    ['an event of no known type', '{"type":"X","object":{"metadata":{"resourceVersion":"1"}}}\n'],
  ])('survives %s, and what it knows stays', async (_what, text) => {
    start(namespaces)
    const watch = await untilWatching([namespace('a', '1')])
    watch.reply(200, text)
    await untilNext()
    const again = await server.next()
    expect(again.query.get('resourceVersion')).toBe('10')
    again.stream({ type: 'ADDED', object: namespace('b', '11') })
    await untilSeen(['+a', '+b'])
  })

  it('does not ask again at once when watches end as soon as they begin', async () => {
    start(namespaces)
    ;(await untilWatching([])).reply(200, '')
    expect(await untilNext()).toBeGreaterThan(0)
  })
})

describe('an object that is refused', () => {
  const broken = namespace('a', '11', { 'weft.dev/inject': 'perhaps' })

  it('keeps its last good form, and is named until it is good again', async () => {
    start(namespaces)
    const watch = await untilWatching([namespace('a', '1', { 'weft.dev/inject': 'enabled' })])
    watch.stream({ type: 'MODIFIED', object: broken })
    await expect.poll(() => reflector.refused.map(({ object }) => object)).toEqual(['Namespace a'])
    expect(seen()).toEqual(['+a'])
    expect(refusals.map(({ reference }) => reference)).toEqual([
      { apiVersion: 'v1', kind: 'Namespace', namespace: '', name: 'a', uid: '' },
    ])
    watch.stream({ type: 'MODIFIED', object: namespace('a', '12') })
    await untilSeen(['+a', '+a'])
    expect(reflector.refused).toEqual([])
  })

  it('is handed out when it is good again as it was, since its status said otherwise meanwhile', async () => {
    start(namespaces)
    const watch = await untilWatching([namespace('a', '1')])
    watch.stream({ type: 'MODIFIED', object: broken }, { type: 'MODIFIED', object: namespace('a', '12') })
    await untilSeen(['+a', '+a'])
  })

  it('is gone when it is deleted', async () => {
    start(namespaces)
    const watch = await untilWatching([namespace('a', '1')])
    watch.stream({ type: 'MODIFIED', object: broken }, { type: 'DELETED', object: broken })
    await untilSeen(['+a', '-a'])
    expect(reflector.refused).toEqual([])
  })
})

describe('a kind that comes with a CustomResourceDefinition', () => {
  const split = {
    apiVersion: 'split.smi-spec.io/v1alpha2',
    kind: 'TrafficSplit',
    metadata: { name: 's', namespace: 'shop', resourceVersion: '3' },
    spec: { service: 'a', backends: [{ service: 'b', weight: 1 }] },
  }

  async function answerDiscovery(versions: readonly string[] | undefined): Promise<void> {
    const ready = await server.next()
    expect(ready.path).toBe('/readyz')
    ready.reply(200, 'ok')
    const group = await server.next()
    expect(group.path).toBe('/apis/split.smi-spec.io')
    if (versions === undefined) return group.reply(404, {})
    group.reply(200, { versions: versions.map((version) => ({ version })) })
    const resources = await server.next()
    expect(resources.path).toBe(`/apis/split.smi-spec.io/${versions[0]}`)
    resources.reply(200, { resources: [{ name: 'trafficsplits' }, { name: 'trafficsplits/status' }] })
  }

  it('is no error when it is absent, and is noticed when it appears', async () => {
    start(trafficSplits)
    await answerDiscovery(undefined)
    await expect.poll(() => reflector.synced).toBe(true)
    expect(await untilNext()).toBeLessThanOrEqual(6_000)
    await answerDiscovery(['v1alpha2'])
    const request = await server.next()
    expect(request.path).toBe('/apis/split.smi-spec.io/v1alpha2/trafficsplits')
    request.reply(200, list('5', [split]))
    await server.next()
    expect(seen()).toEqual(['+shop/s'])
  })

  it('is not absent as long as the API server is starting', async () => {
    start(trafficSplits)
    ;(await server.next()).reply(500, 'crds are not there yet')
    await untilNext()
    expect(reflector.synced).toBe(false)
    await answerDiscovery(['v1alpha4'])
    ;(await server.next()).reply(200, list('5', []))
    await server.next()
    expect(reflector.synced).toBe(true)
  })

  it('takes its objects along when it goes', async () => {
    start(trafficSplits)
    await answerDiscovery(['v1alpha2'])
    ;(await untilWatching([split])).reply(404, {})
    await untilNext()
    await answerDiscovery(undefined)
    await untilSeen(['+shop/s', '-shop/s'])
  })
})

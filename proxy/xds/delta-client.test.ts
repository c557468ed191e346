import * as grpc from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { rootCaSecret } from '../../api/xds/naming.ts'
import { typeUrls } from '../../api/xds/type-urls.ts'
import type { Node } from '../../api/xds/types.ts'
import { WeftError } from '../../core/errors.ts'
import { createLog } from '../../core/log.ts'
import { ManualClock } from '../../core/manual-clock.ts'
import { OutageLog } from '../../core/outage-log.ts'
import { DeltaClient, type OnResources } from './delta-client.ts'
import { MeshConfig } from './mesh-config.ts'
import { cuttingRelay, TestAdsServer, type TestAdsStream } from './test-ads-server.ts'
import {
  cluster,
  destination,
  endpoints,
  listener,
  recordingSink,
  routeByRegex,
  routes,
  routeTo,
} from './test-resources.ts'

const node: Node = { id: 'web.shop', userAgentName: 'weft' }
const inbound = 'inbound/shop/web'
const hour = 3_600_000

let server: TestAdsServer
beforeEach(async () => {
  server = await TestAdsServer.start()
})
afterEach(() => {
  vi.restoreAllMocks()
  server.stop()
})

function setUp(options: { readonly port?: number; readonly dial?: () => void } = {}) {
  const clock = new ManualClock()
  const logLines: string[] = []
  const log = createLog({
    process: 'test',
    level: 'debug',
    destination: { write: (line) => void logLines.push(line) },
  })
  const received: string[] = []
  const answer: { problems: readonly string[]; take: OnResources | undefined } = {
    problems: [],
    take: undefined,
  }
  const client = new DeltaClient({
    target: 'the control plane',
    dial: () => {
      options.dial?.()
      const metadata = new grpc.Metadata()
      metadata.set('authorization', 'Bearer token')
      return {
        target: `127.0.0.1:${options.port ?? server.port}`,
        credentials: grpc.credentials.createInsecure(),
        // Else all clients of this process share their connections, and gRPC's own waiting between them.
        options: { 'grpc.use_local_subchannel_pool': 1 },
        metadata,
      }
    },
    node: () => node,
    clock,
    log,
    outages: new OutageLog(log),
    onResources: (kind, resources, removed) => {
      const names = resources.map(({ name, version }) => `+${name}@${version}`)
      received.push([kind, ...names, ...removed.map((name) => `-${name}`)].join(' '))
      return answer.take?.(kind, resources, removed) ?? answer.problems
    },
  })
  onTestFinished(() => client.close())
  /** Waits until the client has noticed that it is alone and waits to try again. */
  const lost = (timers = 1) => expect.poll(() => clock.pending).toBe(timers)
  return { client, clock, received, answer, logLines, lost }
}

/** A client that follows the clusters `names`, connected, and its end of the stream. */
async function connected(...names: readonly string[]) {
  const made = setUp()
  for (const name of names) made.client.subscribe('cluster', name)
  made.client.start()
  const stream = await server.nextStream()
  await stream.next()
  stream.accept()
  await expect.poll(() => made.client.stats.connected).toBe(true)
  return { ...made, stream }
}

/** Stops the server, and starts it again where it was; resolves with the client's new stream. */
async function restart({ clock, lost }: Awaited<ReturnType<typeof connected>>): Promise<TestAdsStream> {
  server.stop()
  await lost()
  server = await TestAdsServer.start(server.port)
  clock.advance(10_000)
  return server.nextStream()
}

describe('asking', () => {
  test('says once who it is, and asks for all names of a type in one request, what routes name first', async () => {
    const { client } = setUp()
    client.subscribe('listener', inbound)
    client.subscribe('listener', destination)
    client.subscribe('secret', rootCaSecret)
    client.start()
    const stream = await server.nextStream()
    expect(stream.metadata.get('authorization')).toEqual(['Bearer token'])
    expect(await stream.next()).toEqual({
      node,
      typeUrl: typeUrls.secret,
      resourceNamesSubscribe: [rootCaSecret],
    })
    expect(await stream.next()).toEqual({
      typeUrl: typeUrls.listener,
      resourceNamesSubscribe: [inbound, destination],
    })
  })

  test('names taken up and given up in one turn travel in one request, each once', async () => {
    const { client, stream } = await connected('a', 'b')
    client.subscribe('cluster', 'c')
    client.subscribe('cluster', 'c')
    client.subscribe('cluster', 'a')
    client.unsubscribe('cluster', 'b')
    client.unsubscribe('cluster', 'never asked for')
    client.subscribe('listener', 'l')
    expect(await stream.next()).toEqual({
      typeUrl: typeUrls.cluster,
      resourceNamesSubscribe: ['c'],
      resourceNamesUnsubscribe: ['b'],
    })
    expect(await stream.next()).toEqual({ typeUrl: typeUrls.listener, resourceNamesSubscribe: ['l'] })
    expect(stream.unread).toEqual([])
  })
})

describe('answering', () => {
  test('a good response is acknowledged with its nonce', async () => {
    const { client, stream, received, clock } = await connected('a', 'b')
    stream.send('cluster', 'n1', [{ name: 'a', version: '1' }], ['b'])
    expect(await stream.next()).toEqual({ typeUrl: typeUrls.cluster, responseNonce: 'n1' })
    expect(received).toEqual(['cluster +a@1 -b'])
    expect(client.stats).toMatchObject({ acks: 1, nacks: 0, lastMessageAtMs: clock.wallMs() })
  })

  test('a bad one is refused with every problem; its good resources count, the bad one is asked for anew', async () => {
    const fixture = await connected('a', 'b')
    const { stream, answer, client, logLines } = fixture
    stream.send('cluster', 'n1', [{ name: 'b', version: '1' }])
    await stream.next()
    answer.problems = ['b: type: X is not supported', 'b: lb_policy: Y is not supported']
    stream.send('cluster', 'n2', [
      { name: 'a', version: '2' },
      { name: 'b', version: '2' },
    ])
    expect(await stream.next()).toEqual({
      typeUrl: typeUrls.cluster,
      responseNonce: 'n2',
      errorDetail: { code: grpc.status.INVALID_ARGUMENT, message: answer.problems.join('; ') },
    })
    expect(client.stats).toMatchObject({ acks: 1, nacks: 1 })
    expect(logLines.join()).toMatch(/RESOURCE_REJECTED.*type: X is not supported.*lb_policy: Y/)
    const again = await restart(fixture)
    expect((await again.next()).initialResourceVersions).toEqual({ a: '2', b: '1' })
  })

  test('a reason longer than a log line is cut', async () => {
    const { stream, answer } = await connected('a')
    answer.problems = [`a: ${'x'.repeat(100_000)}`]
    stream.send('cluster', 'n1', [{ name: 'a', version: '1' }])
    expect((await stream.next()).errorDetail?.message).toHaveLength(4096)
  })

  test('a type that nobody asked for is refused', async () => {
    const { stream, received } = await connected('a')
    stream.sendRaw({ typeUrl: 'type.googleapis.com/x.Unknown', nonce: 'n1' })
    expect(await stream.next()).toMatchObject({
      responseNonce: 'n1',
      errorDetail: { message: 'type type.googleapis.com/x.Unknown was not asked for' },
    })
    expect(received).toEqual([])
  })

  test('names that were not asked for, or are given up by now, do not count', async () => {
    const fixture = await connected('a', 'b')
    const { client, stream, received } = fixture
    client.unsubscribe('cluster', 'b')
    await stream.next()
    stream.send(
      'cluster',
      'n1',
      [
        { name: 'a', version: '1' },
        { name: 'b', version: '1' },
      ],
      ['everything'],
    )
    expect(await stream.next()).toEqual({ typeUrl: typeUrls.cluster, responseNonce: 'n1' })
    expect(received).toEqual(['cluster +a@1'])
    // Asked for again, it has to come: nothing of it was kept.
    client.subscribe('cluster', 'b')
    const again = await restart(fixture)
    expect(await again.next()).toMatchObject({
      resourceNamesSubscribe: ['a', 'b'],
      initialResourceVersions: { a: '1' },
    })
  })

  test('what is given up while it is taken in is not claimed either', async () => {
    const fixture = await connected('a')
    const { client, stream, answer } = fixture
    answer.take = () => {
      client.unsubscribe('cluster', 'a')
      return []
    }
    stream.send('cluster', 'n1', [{ name: 'a', version: '1' }])
    await stream.next()
    client.subscribe('cluster', 'a')
    const again = await restart(fixture)
    expect(await again.next()).not.toHaveProperty('initialResourceVersions')
  })
})

describe('the control plane goes away', () => {
  test('and comes back: it is told who we are, what we want by now and what we have', async () => {
    const fixture = await connected('a', 'b', 'c')
    const { client, clock, stream, received, logLines, lost } = fixture
    const versions = ['a', 'b', 'c'].map((name) => ({ name, version: `${name}1` }))
    stream.send('cluster', 'n1', versions)
    await stream.next()
    stream.send('cluster', 'n2', [], ['c'])
    await stream.next()
    server.stop()
    await lost()
    expect(client.stats.connected).toBe(false)
    client.unsubscribe('cluster', 'b')
    client.subscribe('cluster', 'd')
    client.subscribe('listener', 'l')
    server = await TestAdsServer.start(server.port)
    clock.advance(10_000)
    const again = await server.nextStream()
    expect(await again.next()).toEqual({
      node,
      typeUrl: typeUrls.cluster,
      resourceNamesSubscribe: ['a', 'c', 'd'],
      initialResourceVersions: { a: 'a1' },
    })
    expect(await again.next()).toEqual({ typeUrl: typeUrls.listener, resourceNamesSubscribe: ['l'] })
    again.send('cluster', 'n3', [{ name: 'd', version: 'd1' }])
    await again.next()
    expect(again.unread).toEqual([])
    expect(client.stats).toMatchObject({ connected: true, connects: 2 })
    // Nothing was taken away meanwhile.
    expect(received).toEqual(['cluster +a@a1 +b@b1 +c@c1', 'cluster -c', 'cluster +d@d1'])
    expect(logLines.filter((line) => line.includes('CONTROL_PLANE_UNREACHABLE'))).toHaveLength(1)
  })

  test('with a message half said: nothing of it counts', async () => {
    const relay = await cuttingRelay(server.port, 300_000)
    onTestFinished(relay.stop)
    const { client, clock, received, lost } = setUp({ port: relay.port })
    client.subscribe('cluster', 'a')
    client.start()
    const stream = await server.nextStream()
    await stream.next()
    stream.send('cluster', 'n1', [{ name: 'a', version: 'small' }])
    await stream.next()
    stream.send('cluster', 'n2', [{ name: 'a', version: 'large', bytes: Buffer.alloc(1_000_000) }])
    await lost()
    expect(received).toEqual(['cluster +a@small'])
    clock.advance(10_000)
    const again = await server.nextStream()
    expect((await again.next()).initialResourceVersions).toEqual({ a: 'small' })
  })

  test('by ending the stream politely: the same', async () => {
    const { stream, clock, lost } = await connected('a')
    stream.end()
    await lost()
    clock.advance(10_000)
    expect(await (await server.nextStream()).next()).toMatchObject({ node, resourceNamesSubscribe: ['a'] })
  })

  test.each([
    [grpc.status.UNAUTHENTICATED, 'CONTROL_PLANE_REFUSED'],
    [grpc.status.PERMISSION_DENIED, 'CONTROL_PLANE_REFUSED'],
    [grpc.status.UNAVAILABLE, 'CONTROL_PLANE_UNREACHABLE'],
    [grpc.status.INTERNAL, 'CONTROL_PLANE_UNREACHABLE'],
  ])('status %i is told as %s, and tried again', async (code, expected) => {
    const { stream, clock, logLines, lost } = await connected('a')
    stream.fail(code)
    await lost()
    expect(logLines.filter((line) => line.includes('"level":"warn"'))).toEqual([
      expect.stringContaining(expected),
    ])
    clock.advance(10_000)
    await server.nextStream()
  })

  test('a file that dialling needs and that is not there is an outage like any other', async () => {
    let missing = true
    const { client, clock, logLines } = setUp({
      dial: () => {
        if (missing) throw new WeftError('TOKEN_FILE_UNREADABLE', 'the token cannot be read')
      },
    })
    client.subscribe('cluster', 'a')
    client.start()
    expect(logLines.map((line) => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({ code: 'TOKEN_FILE_UNREADABLE', reason: 'the token cannot be read' }),
    ])
    missing = false
    clock.advance(10_000)
    await (await server.nextStream()).next()
  })

  test('a control plane that takes the call and never answers is not one, until it does', async () => {
    const { client, stream, clock, answer, calls } = await meshConfig(false)
    clock.advance(hour)
    expect(client.stats.connected).toBe(false)
    const outcome = answer.mesh.resolve(destination)
    clock.advance(1000)
    expect(await outcome).toBe('unavailable')
    stream.accept()
    await expect.poll(() => client.stats.connected).toBe(true)
    await sendDestination(stream)
    expect(await answer.mesh.resolve(destination)).toBe('known')
    expect(calls).toContain(`routes ${destination}`)
  })

  test('is not tried any more once we are closed', async () => {
    const { client, clock } = await connected('a')
    client.close()
    server.stop()
    server = await TestAdsServer.start(server.port)
    await clock.advanceAsync(hour)
    expect(clock.pending).toBe(0)
  })
})

describe('the waits between attempts', () => {
  /** How long the client waits before each of its next attempts; half of its ceiling, with the random number at 0.5. */
  async function waits(
    fixture: ReturnType<typeof setUp>,
    count: number,
    atEach = (): Promise<void> => Promise.resolve(),
  ) {
    const { clock, lost } = fixture
    const measured: number[] = []
    for (let i = 0; i < count; i++) {
      await lost()
      const beforeMs = clock.monotonicMs()
      while (clock.pending > 0) clock.advance(10)
      measured.push(clock.monotonicMs() - beforeMs)
      await atEach()
    }
    return measured
  }

  test('double up to 3 s while nobody is there', async () => {
    server.stop()
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    const fixture = setUp()
    fixture.client.subscribe('cluster', 'a')
    fixture.client.start()
    expect(await waits(fixture, 9)).toEqual([50, 100, 200, 400, 800, 1500, 1500, 1500, 1500])
  })

  test('grow also when somebody takes the call and drops it at once, and begin anew after a stream that lived', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    const fixture = setUp()
    fixture.client.subscribe('cluster', 'a')
    fixture.client.start()
    const takeAndDrop = async (livedMs: number): Promise<void> => {
      const stream = await server.nextStream()
      const connects = fixture.client.stats.connects
      stream.accept()
      await expect.poll(() => fixture.client.stats.connects).toBe(connects + 1)
      fixture.clock.advance(livedMs)
      stream.fail(grpc.status.UNAVAILABLE)
    }
    await takeAndDrop(0)
    expect(await waits(fixture, 4, () => takeAndDrop(0))).toEqual([50, 100, 200, 400])
    await fixture.lost()
    fixture.clock.advance(10_000)
    await takeAndDrop(1000)
    expect(await waits(fixture, 2, () => takeAndDrop(0))).toEqual([50, 100])
  })
})

/** The client with all that a sidecar has behind it, following `destination`; `accept` false: the server says nothing. */
async function meshConfig(accept = true) {
  const made = setUp()
  const { client, clock } = made
  const { sink, calls } = recordingSink()
  const mesh = new MeshConfig({
    sink,
    clock,
    subscriptions: client,
    connected: () => client.stats.connected,
    inboundListener: inbound,
    onTrustBundle: () => undefined,
    onChange: () => undefined,
  })
  made.answer.take = (...what) => mesh.receive(...what)
  client.start()
  const stream = await server.nextStream()
  if (accept) stream.accept()
  if (accept) await expect.poll(() => client.stats.connected).toBe(true)
  // The trust bundle and the workload's own listener, asked for at start.
  await stream.next()
  await stream.next()
  return { ...made, answer: { ...made.answer, mesh }, stream, calls }
}

/** Plays the whole of a destination through a stream that has been asked for its listener. */
async function sendDestination(stream: TestAdsStream): Promise<void> {
  const steps = [
    ['listener', destination, listener()],
    ['routeConfiguration', routes, routeTo('a')],
    ['cluster', 'a', cluster('a')],
    ['clusterLoadAssignment', 'a', endpoints('a')],
  ] as const
  for (const [kind, name, bytes] of steps) {
    for (;;) {
      const request = await stream.next()
      if (request.typeUrl === typeUrls[kind] && request.resourceNamesSubscribe?.includes(name) === true) break
    }
    stream.send(kind, `${kind}-1`, [{ name, version: '1', bytes }])
  }
  for (;;) if ((await stream.next()).responseNonce === 'clusterLoadAssignment-1') break
}

describe('with a destination in use', () => {
  test('a regex that would stall is refused by a NACK with its path and the reason', async () => {
    const { answer, stream, calls } = await meshConfig()
    const outcome = answer.mesh.resolve(destination)
    await sendDestination(stream)
    await outcome
    const before = [...calls]
    const bytes = routeByRegex('((a{50}){50}){50}')
    stream.send('routeConfiguration', 'bad', [{ name: routes, version: '2', bytes }])
    let answered = await stream.next()
    while (answered.responseNonce !== 'bad') answered = await stream.next()
    expect(answered.errorDetail?.message).toContain(
      `${routes}: virtual_hosts[0].routes[0].match.safe_regex: regex repeats too much`,
    )
    expect(calls).toEqual(before)
  })

  test('it is followed from name to endpoints, and stays as it is while the control plane is away', async () => {
    const { answer, stream, clock, calls, lost } = await meshConfig()
    const outcome = answer.mesh.resolve(destination)
    await sendDestination(stream)
    expect(await outcome).toBe('known')
    expect(calls).toEqual(['cluster a', 'endpoints a', `routes ${destination}`])
    const timers = clock.pending
    server.stop()
    await lost(timers + 1)
    clock.advance(24 * hour)
    expect(calls).toHaveLength(3)
    expect(await answer.mesh.resolve(destination)).toBe('known')
  })

  test('its names are given up after 10 idle minutes', async () => {
    const { answer, stream, clock, calls } = await meshConfig()
    const outcome = answer.mesh.resolve(destination)
    await sendDestination(stream)
    await outcome
    clock.advance(9 * 60_000)
    answer.mesh.touch(destination)
    clock.advance(9 * 60_000)
    expect(calls).not.toContain(`remove routes ${destination}`)
    clock.advance(2 * 60_000)
    expect(calls.slice(3)).toEqual([`remove routes ${destination}`, 'remove cluster a'])
    const given = [await stream.next(), await stream.next(), await stream.next(), await stream.next()]
    expect(given.map(({ resourceNamesUnsubscribe }) => resourceNamesUnsubscribe)).toEqual([
      ['a'],
      ['a'],
      [destination],
      [routes],
    ])
  })

  test('they are kept while nobody could give them back, and claimed when somebody can', async () => {
    const { answer, stream, clock, calls, lost } = await meshConfig()
    void answer.mesh.resolve(destination)
    await sendDestination(stream)
    const timers = clock.pending
    server.stop()
    await lost(timers + 1)
    // Refused again and again meanwhile.
    for (let minutes = 0; minutes < 60; minutes += 10) {
      clock.advance(600_000)
      // The sweep for idle names, and the next attempt.
      await lost(2)
    }
    expect(calls).toHaveLength(3)
    server = await TestAdsServer.start(server.port)
    clock.advance(10_000)
    const again = await server.nextStream()
    const requests = []
    for (let i = 0; i < 5; i++) requests.push(await again.next())
    expect(requests.map(({ initialResourceVersions }) => initialResourceVersions)).toEqual([
      undefined,
      { a: '1' },
      { a: '1' },
      { [destination]: '1' },
      { [routes]: '1' },
    ])
  })

  test('a name first used while the control plane is away is asked for when it is back', async () => {
    const { answer, clock, client, lost } = await meshConfig()
    const timers = clock.pending
    server.stop()
    await lost(timers + 1)
    const outcome = answer.mesh.resolve(destination)
    server = await TestAdsServer.start(server.port)
    clock.advance(10_000)
    expect(await outcome).toBe('unavailable')
    const again = await server.nextStream()
    again.accept()
    await sendDestination(again)
    await expect.poll(() => client.stats.connected).toBe(true)
    expect(await answer.mesh.resolve(destination)).toBe('known')
  })
})

/** Retries, hedging and timeouts, from a file through control plane and sidecar to the applications. */
import type { ServerResponse } from 'node:http'
import net from 'node:net'
import type { TLSSocket } from 'node:tls'
import { WeftError } from '../../core/errors.ts'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { RoutePolicy } from '../../proxy/route/route-policy.ts'
import type { RouteRule } from '../../proxy/route/route-rule.ts'
import { type FileMesh, startFileMesh, type UsedRule } from '../support/file-mesh.ts'
import { type Answering, type HttpApplication, startHttpApplication } from '../support/http-application.ts'
import { type HttpAnswer, HttpClient, type HttpRequest } from '../support/http-client.ts'
import { forwardRule, setAppEndpoints, startPlainDataPath } from '../support/plain-data-path.ts'

/** Two replicas that do as they are told. */
const names = ['app#1', 'app#2']
let misbehave: Answering
/** Where requests arrived, in their order. */
const arrivals: string[] = []
/** Set by the test that waits for it. */
let onGone: () => void = () => undefined

const status =
  (code: number, headers: Readonly<Record<string, string>> = {}, body = 'failed'): Answering =>
  (_request, response) =>
    response.writeHead(code, headers).end(body)
/** The first of two requests that arrive is answered by `bad`, the second one says what it got. */
function everyOther(bad: Answering): Answering {
  let count = 0
  return (request, response, body) =>
    count++ % 2 === 0 ? bad(request, response, body) : response.end(`fine ${body.length}`)
}
const never: Answering = (_request, response) => void response.on('close', () => onGone())

let mesh: FileMesh

beforeAll(async () => {
  const obedient =
    (name: string): Answering =>
    (...args) => {
      arrivals.push(name)
      misbehave(...args)
    }
  mesh = await startFileMesh(names, {
    answers: Object.fromEntries(names.map((name) => [name, obedient(name)])),
    settings: ['--access-log=json', '--log-level=info'],
  })
})

afterAll(() => mesh.stop())

/** Every test begins with a Service that nobody has asked anything for. */
afterEach(async () => {
  misbehave = status(200)
  mesh.plane.write('policy.yaml', '')
  mesh.plane.write('route.yaml', '')
  await send()
  await mesh.untilRules('app', ([rule]) => rule?.policy === undefined && rule?.timeoutMs === undefined)
})

const send = (request: HttpRequest = {}, path = '/x'): Promise<HttpAnswer> =>
  mesh.client.send(`http://app.shop:8080${path}`, request)

/** A TrafficPolicy for the Service, in force when this resolves. */
async function policy(
  spec: string,
  ready: (rule: UsedRule) => boolean = (rule) => rule.policy !== undefined || rule.timeoutMs !== undefined,
): Promise<void> {
  mesh.plane.write(
    'policy.yaml',
    `apiVersion: weft.dev/v1alpha1\nkind: TrafficPolicy\nmetadata: {name: p, namespace: shop}\nspec: {targetRefs: [{kind: Service, name: app}], ${spec}}\n`,
  )
  misbehave = status(200)
  await send()
  await mesh.untilRules('app', ([rule]) => rule !== undefined && ready(rule))
  arrivals.length = 0
}

const total = (read: (app: HttpApplication) => number): number =>
  Object.values(mesh.apps).reduce((sum, app) => sum + read(app), 0)

/** How many requests reach the applications meanwhile. */
async function reaching(run: () => Promise<unknown>): Promise<number> {
  const before = total((app) => app.requests)
  await run()
  return total((app) => app.requests) - before
}

type LogLine = { readonly path?: string; readonly attempts?: number; readonly [field: string]: unknown }
/** What the access log says of the request for this path. */
async function logged(path: string): Promise<LogLine> {
  const lines = (): LogLine[] =>
    mesh.sidecar
      .log()
      .split('\n')
      .flatMap((line) => (line.includes(path) ? [JSON.parse(line) as LogLine] : []))
  await expect.poll(() => lines().length).toBeGreaterThan(0)
  return lines()[0] as LogLine
}

const metric = (name: string): Promise<number> =>
  mesh.sidecar.metric(`outbound_http_route_${name}_total`, 'authority="app.shop:8080"')

const attemptPolicy: RoutePolicy = {
  idleTimeoutMs: undefined,
  attempt: { headMs: 100, endMs: undefined },
  retries: {
    conditions: ['5xx'],
    statusCodes: [],
    methods: undefined,
    limit: 1,
    backoff: { minMs: 0, baseMs: 1, maxMs: 1, retryAfterMaxMs: undefined },
  },
  hedging: undefined,
  budget: undefined,
  fault: undefined,
}

describe('what is retried', () => {
  test.each<readonly [string, string, Answering]>([
    ['5xx', '{conditions: [5xx]}', status(500)],
    ['gateway-error', '{conditions: [gateway-error]}', status(502)],
    ['a status code of a range', '{statusCodes: [429, 500-501]}', status(501)],
    ['reset', '{conditions: [reset]}', (request) => request.socket.destroy()],
    ['retriable-4xx', '{conditions: [retriable-4xx]}', status(409)],
  ])('%s, for every method, and elsewhere', async (_name, retries, answer) => {
    // Every request is a retry.
    await policy(`retries: ${retries.replace('}', ', budget: {ratioPercent: 100}}')}`)
    for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
      misbehave = everyOther(answer)
      for (const body of method === 'GET' ? [''] : ['', 'x'.repeat(20_000)]) {
        const got = await send({ method, body })
        expect([got.status, got.body]).toEqual([200, `fine ${body.length}`])
        expect(new Set(arrivals.splice(0)), 'at two endpoints').toEqual(new Set(names))
      }
    }
  })

  test('nothing that was not asked for, whatever a client writes into its request', async () => {
    misbehave = status(503)
    const headers = {
      'x-envoy-retry-on': '5xx',
      'x-envoy-max-retries': '5',
      'x-envoy-retriable-status-codes': '503',
    }
    const answers: number[] = []
    const count = await reaching(async () => {
      for (let i = 0; i < 4; i++) answers.push((await send({ headers })).status)
    })
    expect(answers).toEqual([503, 503, 503, 503])
    expect(count).toBe(4)
  })

  test('by annotations of the Service', async () => {
    mesh.plane.write(
      'annotated.yaml',
      `apiVersion: v1\nkind: Service\nmetadata: {name: annotated, namespace: shop, annotations: {retry.weft.dev/http: "503", retry.weft.dev/limit: "2"}}\nspec: {ports: [{name: http, port: 8080}]}\n---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: annotated-1, namespace: shop, labels: {kubernetes.io/service-name: annotated}}\naddressType: IPv4\nports: [{name: http, port: ${mesh.apps['app#1']?.port}}]\nendpoints: [{addresses: [127.0.0.1]}]\n`,
    )
    const annotated = () => mesh.client.send('http://annotated.shop:8080/')
    await expect.poll(async () => (await annotated()).status, { timeout: 10_000 }).toBe(200)
    misbehave = status(503)
    expect(await reaching(() => annotated())).toBe(3)
    misbehave = status(502)
    expect(await reaching(() => annotated())).toBe(1)
  })

  test('by an HTTPRoute’s own retry, over the policy of its Service', async () => {
    await policy('retries: {conditions: [5xx], limit: 5}')
    mesh.plane.write(
      'route.yaml',
      'apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r, namespace: shop}\nspec: {parentRefs: [{group: "", kind: Service, name: app}], rules: [{backendRefs: [{name: app, port: 8080}], retry: {codes: [503], attempts: 1}}]}\n',
    )
    await mesh.untilRules('app', ([rule]) => rule?.policy?.retries?.limit === 1)
    misbehave = status(503)
    expect(await reaching(() => send())).toBe(2)
    misbehave = status(500)
    expect(await reaching(() => send())).toBe(1)
  })
})

describe('a retry', () => {
  test('is made up to the limit; the last reply is the client’s, and the log says why', async () => {
    await policy('retries: {conditions: [5xx], limit: 2}')
    const [overLimit, retried] = [await metric('retry_limit_exceeded'), await metric('retry_requests')]
    misbehave = status(503, { 'x-app': 'yes' }, 'the application says no')
    let answer: HttpAnswer | undefined
    const count = await reaching(async () => {
      answer = await send({}, '/over-limit')
    })
    expect(count).toBe(3)
    expect(answer).toMatchObject({
      status: 503,
      body: 'the application says no',
      headers: { 'x-app': 'yes' },
    })
    expect(await logged('/over-limit')).toMatchObject({
      attempts: 3,
      retryReason: '5xx',
      retryStop: 'limit',
      flag: 'URX',
    })
    expect(await metric('retry_limit_exceeded')).toBe(overLimit + 1)
    expect(await metric('retry_requests')).toBe(retried + 2)
  })

  test('has a body of up to 64 KiB to send again; a larger one is not retried', async () => {
    await policy('retries: {conditions: [5xx], limit: 1}')
    const seen: number[] = []
    misbehave = (_request, response, body) => {
      seen.push(body.length)
      response.writeHead(seen.length === 1 ? 503 : 200).end()
    }
    expect((await send({ method: 'POST', body: 'x'.repeat(64 * 1024) })).status).toBe(200)
    expect(seen).toEqual([64 * 1024, 64 * 1024])
    seen.length = 0
    const large = { method: 'POST', body: 'x'.repeat(64 * 1024 + 1) }
    expect((await send(large, '/large')).status).toBe(503)
    expect(seen).toEqual([64 * 1024 + 1])
    expect(await logged('/large')).toMatchObject({ attempts: 1, retryStop: 'body' })
  })

  test('is not made once a byte of the reply has gone out', async () => {
    await policy('retries: {conditions: [5xx, reset], limit: 3}')
    misbehave = (_request, response) => {
      response.writeHead(200, { 'content-length': '10' })
      response.write('half', () => response.destroy())
    }
    let answer: HttpAnswer | undefined
    const count = await reaching(async () => {
      answer = await send()
    })
    expect(count).toBe(1)
    expect(answer).toMatchObject({ status: 200, body: 'half', broken: true })
  })

  test('leaves the connection of the reply that is not wanted in use', async () => {
    await policy('retries: {conditions: [5xx], limit: 1, budget: {ratioPercent: 100}}')
    misbehave = status(503, {}, 'x'.repeat(30_000))
    await send()
    const before = total((app) => app.opened)
    for (let i = 0; i < 20; i++) await send()
    expect(total((app) => app.opened)).toBe(before)
  })

  test('waits for what Retry-After asks, when it is told to', async () => {
    await policy('retries: {conditions: [5xx], limit: 1, backoff: {base: 1ms, retryAfter: 5s}}')
    let first = 0
    let second = 0
    misbehave = (_request, response) => {
      if (first === 0) first = performance.now()
      else second = performance.now()
      response.writeHead(second === 0 ? 503 : 200, { 'retry-after': '1' }).end()
    }
    expect((await send()).status).toBe(200)
    expect(second - first).toBeGreaterThanOrEqual(995)
  })
})

describe('when every endpoint fails', () => {
  test('there is no storm: at most a quarter more requests reach the applications, and the budget is kept', async () => {
    await policy('retries: {conditions: [5xx], limit: 5, backoff: {base: 1ms}}')
    // The best of times before: what the budget has saved up is spent now, too.
    await mesh.client.tally('http://app.shop:8080/x', 1000)
    misbehave = status(503)
    const read = () => Promise.all([metric('retry_requests'), metric('retry_overflow')])
    const before = await read()
    const startedMs = performance.now()
    const sent = 5000
    const reached = await reaching(async () => {
      expect(await mesh.client.tally('http://app.shop:8080/x', sent)).toEqual({ 503: sent })
    })
    const seconds = (performance.now() - startedMs) / 1000
    const [retries = 0, overflows = 0] = (await read()).map((value, i) => value - (before[i] ?? 0))
    expect(reached).toBeLessThanOrEqual(1.25 * sent)
    expect(reached).toBeGreaterThan(1.15 * sent)
    expect(retries, 'the counter says the same').toBe(reached - sent)
    expect(retries, 'a fifth, ten a second, and what was saved').toBeLessThanOrEqual(
      0.2 * sent + 10 * seconds + 100,
    )
    expect(overflows).toBeGreaterThan(0.5 * sent)
  })
})

test('an attempt that was given up while it connected sends nothing when it is connected at last', async () => {
  const working = await startHttpApplication('working')
  const connect = (): Promise<TLSSocket> =>
    new Promise((resolve) => {
      const socket = net.connect(working.port, '127.0.0.1', () => resolve(socket as unknown as TLSSocket))
    })
  let dials = 0
  let connectFirst: () => void = () => undefined
  const { dataPath, port, stop } = await startPlainDataPath(
    [],
    {
      dialMesh: ({ alpn }) => {
        if (alpn !== 'weft-h1')
          return Promise.reject(new WeftError('TLS_REFUSED', `it does not speak ${alpn}`))
        if (dials++ > 0) return connect()
        return new Promise<TLSSocket>((resolve) => {
          connectFirst = () => void connect().then(resolve)
        })
      },
    },
    { ...forwardRule({ cluster: 'app', weight: 1 }), policy: attemptPolicy },
  )
  setAppEndpoints(dataPath, [1, 2], 'spiffe://cluster.local/ns/test/sa/app')
  const client = new HttpClient(port)
  expect(await client.send('http://app.test/')).toMatchObject({ status: 200, body: 'working' })
  expect(dials).toBe(2)
  connectFirst()
  await expect.poll(() => working.opened).toBe(2)
  expect(await client.tally('http://app.test/', 20)).toEqual({ working: 20 })
  expect(working.requests, 'each arrived once').toBe(21)
  expect(dials, 'the late connection serves others').toBeLessThanOrEqual(9)
  client.close()
  stop()
  await working.stop()
})

test('a change of configuration fills no budget again', async () => {
  const broken = await startHttpApplication('broken', status(503))
  const rule: RouteRule = {
    ...forwardRule({ cluster: 'app', weight: 1 }),
    policy: {
      ...attemptPolicy,
      attempt: { headMs: undefined, endMs: undefined },
      budget: { ratio: 0, minPerSecond: 5, ttlMs: 1000 },
    },
  }
  const { dataPath, port, stop } = await startPlainDataPath([broken.port], {}, rule)
  const client = new HttpClient(port)
  const startedMs = performance.now()
  for (let i = 0; i < 200; i++) {
    dataPath.setRoutes('app.test:80', [{ domains: ['*'], rules: [{ ...rule, name: `change ${i}` }] }])
    await client.send('http://app.test/')
  }
  const seconds = (performance.now() - startedMs) / 1000
  expect(broken.requests - 200).toBeLessThanOrEqual(10 + 5 * seconds)
  expect(broken.requests).toBeGreaterThan(200)
  client.close()
  stop()
  await broken.stop()
})

describe('a timeout', () => {
  const took = async (run: () => Promise<HttpAnswer>) => {
    const startedMs = performance.now()
    return { answer: await run(), ms: performance.now() - startedMs }
  }

  test('of the request is for all attempts, and answers 504 UT', async () => {
    await policy('timeouts: {request: 300ms}, retries: {conditions: [5xx], limit: 10, backoff: {base: 1ms}}')
    misbehave = (request, response, body) => void setTimeout(() => status(503)(request, response, body), 60)
    const attempts = await reaching(async () => {
      const { answer, ms } = await took(() => send())
      expect(answer).toMatchObject({ status: 504, headers: { 'weft-error': 'UT' } })
      expect(ms).toBeGreaterThan(295)
      expect(ms).toBeLessThan(4000)
    })
    expect(attempts).toBeGreaterThan(1)
    misbehave = never
    const stuck = await took(() => send())
    expect(stuck.answer).toMatchObject({ status: 504, headers: { 'weft-error': 'UT' } })
    expect(stuck.ms).toBeGreaterThan(295)
    expect(stuck.ms).toBeLessThan(4000)
  })

  test('of the request cuts off a reply that does not end, and the application is told', async () => {
    await policy('timeouts: {request: 300ms}')
    const gone = new Promise<void>((resolve) => (onGone = resolve))
    misbehave = (request, response, body) => {
      never(request, response, body)
      response.writeHead(200).write('some')
    }
    const { answer, ms } = await took(() => send({}, '/endless'))
    expect(answer).toMatchObject({ status: 200, body: 'some', broken: true })
    expect(ms).toBeLessThan(4000)
    await gone
    expect(await logged('/endless')).toMatchObject({ flag: 'UT' })
  })

  test('of an attempt leads to the next one, elsewhere, and cancels the first', async () => {
    await policy('retries: {conditions: [5xx], perTryTimeout: 400ms}')
    const successes = await metric('retry_successes')
    const gone = new Promise<void>((resolve) => (onGone = resolve))
    misbehave = everyOther(never)
    const { answer, ms } = await took(() => send({}, '/attempts'))
    expect(answer).toMatchObject({ status: 200, body: 'fine 0' })
    expect(ms).toBeGreaterThan(395)
    expect(ms).toBeLessThan(4000)
    expect(new Set(arrivals)).toEqual(new Set(names))
    await gone
    expect(await metric('retry_successes')).toBe(successes + 1)
    expect(await logged('/attempts')).toMatchObject({ attempts: 2, retryReason: 'attempt-timeout' })
  })

  test('of the response is for one attempt to its end', async () => {
    await policy('timeouts: {response: 400ms}, retries: {conditions: [5xx]}')
    misbehave = everyOther(never)
    expect((await send()).body).toBe('fine 0')
    misbehave = (_request, response) => void response.writeHead(200).write('some')
    const { answer, ms } = await took(() => send())
    expect(answer).toMatchObject({ status: 200, body: 'some', broken: true })
    expect(ms).toBeLessThan(4000)
  })

  test('of idleness cuts off what does not move, and nothing that does', async () => {
    await policy('timeouts: {idle: 400ms}')
    misbehave = never
    const stuck = await took(() => send())
    expect(stuck.answer).toMatchObject({ status: 504, headers: { 'weft-error': 'UT' } })
    misbehave = (_request, response) => {
      let pieces = 0
      response.writeHead(200)
      const timer = setInterval(() => {
        response.write('x')
        if (++pieces < 8) return
        clearInterval(timer)
        response.end()
      }, 60)
    }
    const slow = await took(() => send())
    expect(slow.answer).toMatchObject({ status: 200, body: 'xxxxxxxx', broken: false })
    expect(slow.ms).toBeGreaterThan(420)
  })

  test('of an HTTPRoute beats that of the Service; zero is none', async () => {
    await policy('timeouts: {request: 100ms}')
    const route = (timeouts: string): string =>
      `apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r, namespace: shop}\nspec: {parentRefs: [{group: "", kind: Service, name: app}], rules: [{backendRefs: [{name: app, port: 8080}], timeouts: {${timeouts}}}]}\n`
    misbehave = (_request, response) => void setTimeout(() => response.end('late'), 300)
    mesh.plane.write('route.yaml', route('request: 0s'))
    await mesh.untilRules('app', ([rule]) => rule !== undefined && rule.timeoutMs === undefined)
    expect((await send()).body).toBe('late')
    mesh.plane.write('route.yaml', route('request: 5s, backendRequest: 100ms'))
    await mesh.untilRules('app', ([rule]) => rule?.policy?.attempt.headMs === 100)
    expect((await send()).status).toBe(504)
  })
})

describe('hedging', () => {
  /** Slow, but there in the end. */
  const slow: Answering = (_request, response) => {
    const timer = setTimeout(() => response.end('slow'), 5_000)
    response.on('close', () => {
      clearTimeout(timer)
      onGone()
    })
  }

  test('sends a second request after the delay, takes the first good reply and cancels the other', async () => {
    await policy('retries: {hedging: {delay: 50ms}}')
    const hedges = await metric('hedge_requests')
    const gone = new Promise<void>((resolve) => (onGone = resolve))
    misbehave = everyOther(slow)
    const startedMs = performance.now()
    expect((await send({}, '/hedged')).body).toBe('fine 0')
    expect(performance.now() - startedMs).toBeLessThan(4_500)
    expect(new Set(arrivals)).toEqual(new Set(names))
    await gone
    expect((await metric('hedge_requests')) - hedges).toBe(1)
    expect(await logged('/hedged')).toMatchObject({ attempts: 2, retryReason: 'hedge', status: 200 })
  })

  test('does not take a bad reply while a good one may come', async () => {
    await policy('retries: {hedging: {delay: 50ms}}')
    let first: ServerResponse | undefined
    misbehave = (request, response, body) => {
      if (first === undefined) {
        first = response
        return
      }
      status(500)(request, response, body)
      // Some time after the bad one.
      response.on('finish', () => setTimeout(() => first?.end('good'), 50))
    }
    expect(await send()).toMatchObject({ status: 200, body: 'good' })
    expect(arrivals).toHaveLength(2)
  })

  test('does not send twice what may not arrive twice', async () => {
    await policy('retries: {hedging: {delay: 20ms}}')
    misbehave = (_request, response) => void setTimeout(() => response.end('x'), 100)
    expect(await reaching(() => send({ method: 'POST', body: 'once' }))).toBe(1)
    let first: ServerResponse | undefined
    // Answered once there is a second.
    misbehave = (_request, response) => {
      if (first === undefined) first = response
      else for (const each of [first, response]) each.end('x')
    }
    expect(await reaching(() => send())).toBe(2)
  })

  test('by a percentile measures first, and stays within the budget', async () => {
    await policy('retries: {hedging: {percentile: 95}, budget: {ratioPercent: 10, minPerSecond: 0}}')
    const answerAfter =
      (ms: number): Answering =>
      (_request, response) =>
        void setTimeout(() => response.end('x'), ms)
    misbehave = answerAfter(2)
    await mesh.client.tally('http://app.shop:8080/x', 300)
    misbehave = answerAfter(200)
    const reached = await reaching(() => mesh.client.tally('http://app.shop:8080/x', 100))
    expect(reached).toBeGreaterThan(100)
    expect(reached, 'a tenth, and what was saved').toBeLessThanOrEqual(100 + 10 + 10)
  })
})

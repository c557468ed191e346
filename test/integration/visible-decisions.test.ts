/** Every reply that is made here says why, in three places: to the client, in the access log, and in a counter. */
import type net from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import { freePorts } from '../../cli/demo/ports.ts'
import { meshYaml } from '../support/file-mesh.ts'
import { type RawServer, exchangeRaw, startRawServer } from '../support/raw-tcp.ts'
import {
  removeFolder,
  startTestControlPlane,
  type TestControlPlane,
} from '../support/running-control-plane.ts'
import { type SidecarProcess, startSidecar } from '../support/sidecar-process.ts'

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
/** What applications do with a request, by their Service. */
const behaviours: Readonly<Record<string, (socket: net.Socket) => unknown>> = {
  fine: (socket) => socket.write(ok),
  breaking: (socket) => socket.destroy(),
  babbling: (socket) => socket.write('hello\r\n\r\n'),
  silent: () => undefined,
  full: () => undefined,
  faulty: (socket) => socket.write(ok),
  delayed: (socket) => socket.write(ok),
  failing: (socket) => socket.write('HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n'),
}
const policies: Readonly<Record<string, object>> = {
  silent: { timeouts: { request: '50ms' } },
  full: { connectionPool: { maxConnections: 1, maxPending: 0, maxRequests: 1 }, timeouts: { request: '2s' } },
  faulty: { fault: { abort: { status: 418, percent: 100 } } },
  delayed: { fault: { delay: { duration: '1ms', percent: 100 } } },
  failing: { retries: { conditions: ['gateway-error'], limit: 1, backoff: { base: '1ms', max: '1ms' } } },
}

function objectYaml(apiVersion: string, kind: string, name: string, spec: object): string {
  return JSON.stringify({ apiVersion, kind, metadata: { name, namespace: 'shop' }, spec })
}
const routeYaml = (service: string, rule: object): string =>
  objectYaml('gateway.networking.k8s.io/v1', 'HTTPRoute', service, {
    parentRefs: [{ group: '', kind: 'Service', name: service }],
    rules: [rule],
  })

const servers: Record<string, RawServer> = {}
let plane: TestControlPlane
let sidecar: SidecarProcess
beforeAll(async () => {
  for (const [name, act] of Object.entries(behaviours))
    servers[name] = await startRawServer((text, socket) => text.endsWith('\r\n\r\n') && act(socket))
  const ports = Object.fromEntries(Object.entries(servers).map(([name, { port }]) => [name, [port]]))
  const [nobodys] = (await freePorts(1)) as [number]
  plane = await startTestControlPlane({
    'mesh.yaml': meshYaml({ ...ports, gone: [nobodys], empty: [], routed: [], invalid: [] }),
    'routed.json': routeYaml('routed', {
      matches: [{ path: { type: 'Exact', value: '/only' } }],
      backendRefs: [{ name: 'fine', port: 8080 }],
    }),
    'invalid.json': routeYaml('invalid', { backendRefs: [{ name: 'missing', port: 8080 }] }),
    ...Object.fromEntries(
      Object.entries(policies).map(([service, spec]) => [
        `policy-${service}.json`,
        objectYaml('weft.dev/v1alpha1', 'TrafficPolicy', service, {
          targetRefs: [{ kind: 'Service', name: service }],
          ...spec,
        }),
      ]),
    ),
  })
  sidecar = await startSidecar(plane, {
    settings: ['--access-log=json', '--outbound-policy=deny', '--head-timeout=1s', '--log-level=info'],
  })
})
afterAll(async () => {
  await sidecar.stop()
  await plane.stop()
  for (const server of Object.values(servers)) await server.stop()
  removeFolder(plane.folder)
})

const requestTo = (host: string, path = '/'): string =>
  `GET http://${host}:8080${path} HTTP/1.1\r\nHost: ${host}:8080\r\nConnection: close\r\n\r\n`

async function ask(request: string): Promise<string> {
  return (await exchangeRaw(sidecar.port, [request])).text
}

/** The access-log lines so far. */
function lines(): readonly { readonly msg: string; readonly flag: string; readonly status: number }[] {
  return sidecar
    .log()
    .split('\n')
    .filter((line) => line.includes('"msg":"access"'))
    .map((line) => JSON.parse(line) as { msg: string; flag: string; status: number })
}

async function counted(flag: string): Promise<number> {
  const { text } = await fetchText(sidecar.adminPort, '/metrics')
  const line = text
    .split('\n')
    .find((one) => one.startsWith('response_flags_total{') && one.includes(`flag="${flag}"`))
  return Number(line?.slice(line.lastIndexOf(' ')) ?? 0)
}

/** `header` false: the reply is the application's own, and something was decided about it all the same. */
const rows: readonly [
  flag: string,
  what: string,
  status: number,
  send: () => Promise<string>,
  header?: false,
][] = [
  ['NR', 'no route matches', 404, () => ask(requestTo('routed.shop', '/other'))],
  ['NC', 'a backend does not exist', 500, () => ask(requestTo('invalid.shop'))],
  ['NC', 'a destination is unknown', 502, () => ask(requestTo('unknown.example'))],
  ['UH', 'nobody is ready', 503, () => ask(requestTo('empty.shop'))],
  ['UF', 'an endpoint cannot be connected to', 503, () => ask(requestTo('gone.shop'))],
  ['UC', 'a connection breaks', 502, () => ask(requestTo('breaking.shop'))],
  ['UPE', 'a reply is no HTTP', 502, () => ask(requestTo('babbling.shop'))],
  ['UT', 'a reply takes too long', 504, () => ask(requestTo('silent.shop'))],
  [
    'UO',
    'a limit is reached',
    503,
    async () => {
      const before = servers['full']?.received.length ?? 0
      const held = ask(requestTo('full.shop'))
      await expect.poll(() => servers['full']?.received.length ?? 0).toBeGreaterThan(before)
      const text = await ask(requestTo('full.shop'))
      await held
      return text
    },
  ],
  ['FI', 'a fault is injected', 418, () => ask(requestTo('faulty.shop'))],
  ['DI', 'a delay is injected', 200, () => ask(requestTo('delayed.shop')), false],
  ['URX', 'retries are used up', 503, () => ask(requestTo('failing.shop')), false],
  ['DPE', 'a request is no HTTP', 400, () => ask('GET /\r\n\r\n')],
  ['DT', 'a head takes too long', 408, () => ask('GET / HTTP/1.1\r\nHost: fine.shop:8080\r\n')],
]

describe('why a reply is not what the application would have said is told', () => {
  test.each(rows)('by %s where %s', async (flag, _what, status, send, header) => {
    // A first request may be answered while the destination is made known.
    const [countBefore, linesBefore] = [await counted(flag), lines().length]
    const text = await send()
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    if (header === false) expect(text).not.toContain('weft-error')
    else expect(text).toMatch(new RegExp(`^weft-error: ${flag}\r$`, 'm'))
    await expect.poll(() => counted(flag)).toBe(countBefore + 1)
    await expect
      .poll(() => lines().slice(linesBefore))
      .toContainEqual(expect.objectContaining({ flag, status }))
  })

  test('and what is as it should be says nothing', async () => {
    const before = lines().length
    expect(await ask(requestTo('fine.shop'))).not.toContain('weft-error')
    await expect
      .poll(() => lines().slice(before))
      .toEqual([expect.objectContaining({ flag: '', status: 200 })])
  })
})

test('what policies ask for, and of whom, is shown by the control plane', async () => {
  const { text } = await fetchText(plane.running.adminPort, '/policies')
  const page = JSON.parse(text) as {
    policies: readonly { name: string; targets: readonly object[] }[]
    services: readonly { name: string; ports: readonly object[] }[]
  }
  expect(page.policies.find(({ name }) => name === 'failing')?.targets).toEqual([
    {
      service: 'failing',
      inForce: [8080],
      conditions: [{ type: 'Accepted', status: 'True', reason: 'Accepted', message: '' }],
    },
  ])
  expect(page.services.find(({ name }) => name === 'failing')?.ports).toEqual([
    { port: 8080, sections: { retries: 'TrafficPolicy shop/failing' } },
  ])
})

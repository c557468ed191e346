/** A sidecar without a control plane: what it does is what its bootstrap file says. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { freePorts } from '../../cli/demo/ports.ts'
import { TestRoot } from '../../proxy/identity/test-pki.ts'
import type { RunningProxy } from '../../proxy/proxy.ts'
import {
  cluster,
  everything,
  http,
  listener,
  startFromFile,
  startWithFile,
  tcp,
  typePrefix,
  writeTlsFiles,
} from '../support/bootstrap-file.ts'
import { exchangeRaw, type RawServer, startRawServer } from '../support/raw-tcp.ts'

let folder: string
let running: RunningProxy[]
let application: RawServer

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'weft-bootstrap-'))
  running = []
  application = await startRawServer((text, socket) => {
    if (text.endsWith('\r\n\r\n')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello')
  })
})

afterEach(async () => {
  await Promise.all(running.map((proxy) => proxy.shutdown.run(5_000)))
  await application.stop()
  rmSync(folder, { recursive: true })
})

async function start(listeners: readonly object[], clusters: readonly object[]): Promise<RunningProxy> {
  const proxy = await startFromFile(folder, listeners, clusters)
  running.push(proxy)
  return proxy
}

function get(port: number, target = '/'): Promise<string> {
  const head = `GET ${target} HTTP/1.1\r\nHost: shop.example\r\n\r\n`
  return exchangeRaw(port, [head], (text) => text.endsWith('hello')).then((answer) => answer.text)
}

async function pageOf(proxy: RunningProxy, page: string): Promise<string> {
  return (await fetch(`http://127.0.0.1:${proxy.adminPort}${page}`)).text()
}

test('requests follow the routes of the file, and metrics and admin pages are as in a mesh', async () => {
  const [port] = (await freePorts(1)) as [number]
  const moved = {
    match: { path: '/gone' },
    direct_response: { status: 410, body: { inline_string: 'hello' } },
  }
  const proxy = await start(
    [listener(port, http(moved, everything('app')))],
    [cluster('app', application.port)],
  )
  expect(await get(port, '/x')).toContain('200 OK')
  expect(application.received[0]).toMatch(/^GET \/x HTTP\/1\.1\r\nHost: shop\.example\r\n/)
  expect(await get(port, '/gone')).toContain('HTTP/1.1 410')
  expect(await pageOf(proxy, '/ready')).toBe('ready\n')
  expect(await pageOf(proxy, '/metrics')).toMatch(/request_total\{.*authority="app".*\} 1\n/)
  expect(await pageOf(proxy, '/clusters')).toContain(`127.0.0.1:${application.port}`)
})

test('bytes go to the cluster of a tcp_proxy', async () => {
  const [port] = (await freePorts(1)) as [number]
  await start([listener(port, tcp('app'))], [cluster('app', application.port)])
  expect(await get(port)).toContain('200 OK')
  expect(application.received[0]).toBe('GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n')
})

test.each([
  ['HTTP', http(everything('next')), http(everything('app'))],
  ['bytes', tcp('next'), tcp('app')],
])('two sidecars speak mTLS with the certificates that their files name: %s', async (_name, near, far) => {
  const root = await TestRoot.make()
  const tls = await tlsFiles(root, 'spiffe://cluster.local/ns/shop/sa/web')
  const [port, between] = (await freePorts(2)) as [number, number]
  const farTls = { common_tls_context: tls.context, require_client_certificate: true }
  await start([listener(between, far, farTls)], [cluster('app', application.port)])
  await start(
    [listener(port, near)],
    [cluster('next', between, { common_tls_context: tls.context, sni: 'shop.example' })],
  )
  expect(await get(port)).toContain('200 OK')
  // And again, over a session that is resumed or a connection that is kept.
  expect(await get(port)).toContain('200 OK')
})

test('a peer whose name or root is another is not spoken to', async () => {
  const root = await TestRoot.make()
  const good = await tlsFiles(root, 'spiffe://cluster.local/ns/shop/sa/web')
  const other = await tlsFiles(root, 'spiffe://cluster.local/ns/shop/sa/other')
  const foreign = await tlsFiles(await TestRoot.make(), 'spiffe://cluster.local/ns/shop/sa/web')
  const [port, between, portOfOther, portOfForeign] = (await freePorts(4)) as [number, number, number, number]
  const farTls = { common_tls_context: good.context, require_client_certificate: true }
  await start([listener(between, http(everything('app')), farTls)], [cluster('app', application.port)])
  const names = {
    match_typed_subject_alt_names: [{ san_type: 'URI', matcher: { exact: 'spiffe://x/ns/a/sa/b' } }],
  }
  const picky = {
    ...other.context,
    validation_context: { ...other.context.validation_context, ...names },
  }
  const near = http(everything('next'))
  await start([listener(portOfOther, near)], [cluster('next', between, { common_tls_context: picky })])
  await start(
    [listener(portOfForeign, near)],
    [cluster('next', between, { common_tls_context: foreign.context })],
  )
  await start([listener(port, near)], [cluster('next', between, { common_tls_context: good.context })])
  for (const refused of [portOfOther, portOfForeign]) {
    const { text } = await exchangeRaw(refused, ['GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'])
    expect(text).toContain('HTTP/1.1 503')
  }
  expect(application.received).toEqual([])
  expect(await get(port)).toContain('200 OK')
})

test.each([
  ['no YAML', 'a: [', 'BOOTSTRAP_INVALID', /:1:\d+: /],
  ['no bootstrap', 'listeners: []', 'BOOTSTRAP_INVALID', /listeners: is not a field/],
])('a file that is %s stops the start with every problem named', async (_name, text, code, detail) => {
  const file = path.join(folder, 'bad.yaml')
  writeFileSync(file, text)
  await expect(startWithFile(file)).rejects.toMatchObject({ code, detail: [expect.stringMatching(detail)] })
})

test('certificate files that are not there or do not belong together stop the start', async () => {
  const [port] = (await freePorts(1)) as [number]
  const root = await TestRoot.make()
  const own = await tlsFiles(root, 'spiffe://cluster.local/ns/shop/sa/web')
  const stranger = await tlsFiles(await TestRoot.make(), 'spiffe://a/ns/b/sa/c')
  const mixed = {
    ...own.context,
    tls_certificates: [{ ...own.certificate, private_key: stranger.certificate.private_key }],
  }
  const missing = { ...own.context, validation_context: { trusted_ca: { filename: '/nowhere/roots.pem' } } }
  for (const [context, message] of [
    [mixed, /key values mismatch/],
    [missing, /\/nowhere\/roots\.pem/],
  ] as const) {
    const starting = start(
      [listener(port, http(everything('next')))],
      [cluster('next', 1, { common_tls_context: context })],
    )
    await expect(starting).rejects.toMatchObject({
      code: 'BOOTSTRAP_INVALID',
      message: expect.stringMatching(message),
    })
  }
})

const tlsFiles = (root: TestRoot, uri: string) => writeTlsFiles(folder, root, { uris: [uri] })

test('faults and rate limits of the file are honoured, by listener and by route', async () => {
  const [port] = (await freePorts(1)) as [number]
  const always = { default_value: { numerator: 100 } }
  const limit = {
    '@type': `${typePrefix}.filters.http.local_ratelimit.v3.LocalRateLimit`,
    stat_prefix: 'limit',
    token_bucket: { max_tokens: 1, fill_interval: '3600s' },
    filter_enabled: always,
    filter_enforced: always,
  }
  const fault = {
    '@type': `${typePrefix}.filters.http.fault.v3.HTTPFault`,
    abort: { http_status: 418, percentage: { numerator: 100 } },
  }
  const none = { ...fault, abort: undefined }
  const manager = http(
    { match: { prefix: '/limited' }, route: { cluster: 'app' }, typed_per_filter_config: { fault: none } },
    {
      match: { prefix: '/own' },
      route: { cluster: 'app' },
      typed_per_filter_config: {
        fault: none,
        limit: { ...limit, token_bucket: { ...limit.token_bucket, max_tokens: 2 } },
      },
    },
    { match: { prefix: '/' }, route: { cluster: 'app' } },
  ) as { http_filters: object[] }
  manager.http_filters.unshift({ name: 'limit', typed_config: limit }, { name: 'fault', typed_config: fault })
  await start([listener(port, manager)], [cluster('app', application.port)])
  const statusOf = async (target: string) => (await fetch(`http://127.0.0.1:${port}${target}`)).status
  expect([await statusOf('/own'), await statusOf('/own'), await statusOf('/own')]).toEqual([200, 200, 429])
  // One bucket for the other routes, which the fault comes after.
  expect([await statusOf('/'), await statusOf('/limited')]).toEqual([418, 429])
})

test('a cluster of the file may name its hosts, and leaves out the ones that fail', async () => {
  const [port] = (await freePorts(1)) as [number]
  const failing = await startRawServer((text, socket) => {
    if (text.endsWith('\r\n\r\n')) socket.write('HTTP/1.1 503 No\r\nContent-Length: 5\r\n\r\nhello')
  })
  const at = (host: string, to: number) => ({
    endpoint: { address: { socket_address: { address: host, port_value: to } } },
  })
  const named = {
    name: 'app',
    type: 'STRICT_DNS',
    dns_lookup_family: 'V4_ONLY',
    load_assignment: {
      cluster_name: 'app',
      endpoints: [{ lb_endpoints: [at('localhost', application.port), at('localhost', failing.port)] }],
    },
    outlier_detection: { consecutive_5xx: 1, max_ejection_percent: 50 },
  }
  await start([listener(port, http(everything('app')))], [named])
  const statuses: number[] = []
  for (let i = 0; i < 40; i++) statuses.push((await fetch(`http://127.0.0.1:${port}/`)).status)
  await failing.stop()
  expect(statuses.filter((status) => status === 503)).toHaveLength(1)
  expect(statuses.at(-1)).toBe(200)
})

/** Redirected mode for real: iptables in network namespaces, sidecars of user 2102, and applications that know of nothing. */
import { chownSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { recorded } from './capture.ts'
import { applicationUid, type Pod, RedirectedMesh } from './redirected-mesh.ts'
import type { PodNetwork } from './network.ts'
import { describeWith } from './requirements.ts'

const clusterIp = '10.96.0.10'
const clusterIp6 = 'fd96::10'
const marker = 'warp-and-weft-91c2'
const echo = path.join(import.meta.dirname, 'echo-application.ts')
const inTheMesh = ['tls="true"', 'client_id="spiffe://cluster.local/ns/shop/sa/client"']

let mesh: RedirectedMesh
let client: Pod
let server: Pod
let guarded: Pod
let outside: PodNetwork
let legacy: Pod

type Echo = { readonly name: string; readonly url: string; readonly body: string }

async function startServer(): Promise<void> {
  const [pages, work] = [path.join(mesh.folder, 'pages'), path.join(mesh.folder, 'work')]
  for (const folder of [pages, work]) mkdirSync(folder)
  chownSync(work, applicationUid, applicationUid)
  writeFileSync(path.join(pages, 'page.txt'), `${marker}\n`)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${work}/${name};`)
    .join(' ')
  const config = `daemon off; pid ${work}/nginx.pid; error_log stderr;
    events {} http { access_log off; ${temporary} server { listen 8080; listen [::]:8080; root ${pages}; } }`
  writeFileSync(path.join(mesh.folder, 'nginx.conf'), config)
  await mesh.startApplication(
    server,
    8080,
    'nginx',
    '-e',
    'stderr',
    '-c',
    path.join(mesh.folder, 'nginx.conf'),
  )
  for (const [name, port] of [
    ['named', 3000],
    ['unnamed', 7070],
    ['skipped', 9000],
  ] as const)
    await mesh.startApplication(server, port, process.execPath, echo, name, String(port))
  await mesh.startApplication(
    server,
    6379,
    'redis-server',
    '--port',
    '6379',
    '--save',
    '',
    '--protected-mode',
    'no',
    '--bind',
    '0.0.0.0',
  )
}

describeWith(
  [
    'ip',
    'iptables-restore',
    'ip6tables-restore',
    'iptables-legacy-restore',
    'setpriv',
    'ss',
    'curl',
    'nginx',
    'redis-server',
    'redis-cli',
    'tcpdump',
  ],
  'a mesh of redirected pods',
  () => {
    beforeAll(async () => {
      mesh = new RedirectedMesh()
      const ofClient = { containerPorts: [], init: ['--skip-outbound-ports=9001'] }
      const ofGuarded = { containerPorts: [], sidecar: ['--outbound-policy=deny'] }
      const ofServer = { containerPorts: [8080, 3000, 6379], init: ['--skip-inbound-ports=9000'] }
      client = mesh.addPod('client', ofClient)
      server = mesh.addPod('server', ofServer)
      guarded = mesh.addPod('guarded', ofGuarded)
      const ofLegacy = { containerPorts: [], init: ['--iptables=legacy'] }
      legacy = mesh.addPod('legacy', ofLegacy)
      outside = mesh.network.addPod('outside')
      mesh.addService('server', [clusterIp, clusterIp6], server, [8080, 3000, 6379])
      await mesh.startControlPlane()
      client = await mesh.startSidecar(client, ofClient)
      server = await mesh.startSidecar(server, ofServer)
      guarded = await mesh.startSidecar(guarded, ofGuarded)
      legacy = await mesh.startSidecar(legacy, ofLegacy)
      await startServer()
      await mesh.startApplication(outside, 9001, process.execPath, echo, 'outside', '9001')
      await mesh.startApplication(outside, 9002, process.execPath, echo, 'unknown', '9002')
    })
    afterAll(() => mesh?.remove())

    test('an application reaches another by the address of its Service, through both sidecars, unseen on the wire', async () => {
      const file = path.join(mesh.folder, 'wire.pcap')
      let answers: readonly string[] = []
      const wire = await recorded(mesh.network, server, file, () => {
        answers = [
          mesh.curl(client, `http://${clusterIp}:8080/page.txt?${marker}`),
          mesh.curl(client, '-d', `${marker} sent`, `http://${clusterIp}:3000/${marker}`),
        ]
      })
      expect(answers[0]).toBe(`${marker}\n`)
      expect(JSON.parse(answers[1] as string)).toMatchObject({
        name: 'named',
        url: `/${marker}`,
        body: `${marker} sent`,
      })
      expect(wire.length).toBeGreaterThan(2_000)
      expect(wire).toContain('weft-m1')
      expect(wire).not.toContain(marker)
      expect(mesh.metric(server, 'request_total', 'direction="inbound"', ...inTheMesh)).toBe(2)
    })

    test('the same bytes are seen where there is no sidecar at the other end: the recorder sees what there is', async () => {
      const wire = await recorded(mesh.network, outside, path.join(mesh.folder, 'clear.pcap'), () => {
        mesh.curl(client, `http://${outside.v4}:9001/${marker}`)
      })
      expect(wire).toContain(`GET /${marker} HTTP/1.1`)
    })

    test('by its IPv6 address, the same', () => {
      const before = mesh.metric(server, 'request_total', 'direction="inbound"', ...inTheMesh)
      expect(mesh.curl(client, `http://[${clusterIp6}]:8080/page.txt`)).toBe(`${marker}\n`)
      expect(mesh.metric(server, 'request_total', 'direction="inbound"', ...inTheMesh)).toBe(before + 1)
    })

    test('where the application connects to decides, not what it calls that in Host', () => {
      const before = mesh.metric(server, 'request_total', 'direction="inbound"', ...inTheMesh)
      const page = mesh.curl(client, '-H', 'Host: elsewhere.example', `http://${clusterIp}:8080/page.txt`)
      expect(page).toBe(`${marker}\n`)
      expect(mesh.metric(server, 'request_total', 'direction="inbound"', ...inTheMesh)).toBe(before + 1)
    })

    test("by the pod's own address, as a headless Service's name leads there: requests and connections", () => {
      const requests = (): number => mesh.metric(server, 'request_total', 'direction="inbound"', ...inTheMesh)
      const connections = (): number =>
        mesh.metric(server, 'tcp_open_total', 'peer="dst"', 'target_port="6379"', ...inTheMesh)
      const [before, connected] = [requests(), connections()]
      for (const address of [server.v4, `[${server.v6}]`])
        expect(mesh.curl(client, `http://${address}:8080/page.txt`)).toBe(`${marker}\n`)
      expect(requests()).toBe(before + 2)
      expect(mesh.network.run(client, 'redis-cli', '-h', server.v4, 'PING')).toContain('PONG')
      expect(connections()).toBe(connected + 1)
    })

    test('by that address, a port that is skipped is reached as it is', () => {
      expect((JSON.parse(mesh.curl(client, `http://${server.v4}:9000/`)) as Echo).name).toBe('skipped')
    })

    test('a client without a sidecar is served in clear, by both families, and counted as that', () => {
      for (const address of [server.v4, `[${server.v6}]`])
        expect(mesh.curl(outside, `http://${address}:8080/page.txt`)).toBe(`${marker}\n`)
      expect(mesh.metric(server, 'request_total', 'direction="inbound"', 'tls="false"')).toBe(2)
    })

    test('a server without a sidecar is reached in clear', () => {
      const { name } = JSON.parse(mesh.curl(client, `http://${outside.v4}:9001/`)) as Echo
      expect(name).toBe('outside')
    })

    test('what the mesh does not know is reached by the address dialled, whatever Host says, or refused: as told', () => {
      const args = [
        '-o',
        '/dev/null',
        '-w',
        '%{http_code}',
        '-H',
        'Host: server:8080',
        `http://${outside.v4}:9002/`,
      ]
      expect(mesh.curl(client, ...args)).toBe('200')
      expect(mesh.metric(client, 'outbound_passthrough_total')).toBeGreaterThan(0)
      expect(mesh.curl(guarded, ...args)).toBe('502')
      expect(mesh.metric(guarded, 'outbound_denied_total')).toBe(1)
      expect(mesh.curl(guarded, `http://${clusterIp}:8080/page.txt`)).toBe(`${marker}\n`)
      const metrics = mesh.curl(guarded, 'http://127.0.0.1:4191/metrics')
      expect(metrics).not.toContain(`${outside.v4}:9002`)
    })

    test('an application calls itself: by loopback and by its own address directly, by its Service through the mesh', () => {
      const requests = (): number => mesh.metric(server, 'request_total', 'direction="inbound"')
      const before = requests()
      for (const address of ['127.0.0.1', server.v4, `[${server.v6}]`])
        expect(mesh.curl(server, `http://${address}:8080/page.txt`)).toBe(`${marker}\n`)
      expect(requests()).toBe(before)
      for (const address of [clusterIp, `[${clusterIp6}]`])
        expect(mesh.curl(server, `http://${address}:8080/page.txt`)).toBe(`${marker}\n`)
      expect(
        mesh.metric(
          server,
          'request_total',
          'direction="inbound"',
          'client_id="spiffe://cluster.local/ns/shop/sa/server"',
        ),
      ).toBe(2)
    })

    test('a port that is skipped is reached past the sidecar, inbound and outbound', () => {
      const accepted = (pod: Pod): number => mesh.metric(pod, 'tcp_open_total')
      const [atServer, atClient] = [accepted(server), accepted(client)]
      expect((JSON.parse(mesh.curl(outside, `http://${server.v4}:9000/`)) as Echo).name).toBe('skipped')
      expect(accepted(server)).toBe(atServer)
      expect((JSON.parse(mesh.curl(client, `http://${outside.v4}:9001/`)) as Echo).name).toBe('outside')
      expect(accepted(client)).toBe(atClient)
    })

    test('a port that the control plane has not named is served all the same, and counted by its number', () => {
      expect((JSON.parse(mesh.curl(client, `http://${server.v4}:7070/`)) as Echo).name).toBe('unnamed')
      expect(
        mesh.metric(server, 'request_total', 'direction="inbound"', 'target_port="7070"', ...inTheMesh),
      ).toBe(1)
    })

    test('what is not HTTP passes byte for byte', () => {
      const redis = (...words: readonly string[]): string =>
        mesh.network.run(client, 'redis-cli', '-h', server.v4, ...words).trim()
      expect(redis('SET', 'thread', 'blue')).toBe('OK')
      expect(redis('GET', 'thread')).toBe('blue')
      expect(mesh.metric(server, 'tcp_read_bytes_total', 'direction="inbound"')).toBeGreaterThan(20)
    })

    test('by the rules of iptables-legacy, the same', () => {
      const own = ['direction="inbound"', 'client_id="spiffe://cluster.local/ns/shop/sa/legacy"']
      for (const address of [clusterIp, `[${clusterIp6}]`])
        expect(mesh.curl(legacy, `http://${address}:8080/page.txt`)).toBe(`${marker}\n`)
      expect(mesh.metric(server, 'request_total', ...own)).toBe(2)
    })

    test("what listens on one of the pod's addresses is reached, as without a sidecar, and what listens on loopback is not", async () => {
      const listeners = [
        [7101, server.v4, '200'],
        [7102, server.v6, '200'],
        [7103, '127.0.0.1', '503'],
        [7104, '::1', '503'],
      ] as const
      for (const [port, host, status] of listeners) {
        await mesh.startApplication(server, port, process.execPath, echo, 'one', String(port), host)
        const url = `http://${host.includes(':') ? `[${server.v6}]` : server.v4}:${port}/`
        for (const pod of [client, outside])
          expect([host, mesh.curl(pod, '-o', '/dev/null', '-w', '%{http_code}', url)]).toEqual([host, status])
      }
    })

    test('UDP, and so DNS, is left alone', () => {
      const socket = "const socket = require('dgram').createSocket('udp4')"
      const answer = `${socket}; socket.on('message', (text, { port, address }) => socket.send(text, port, address)).bind(5353)`
      const ask = `${socket}; socket.on('message', (text) => { console.log(String(text)); process.exit() })
        setInterval(() => socket.send('${marker}', 5353, '${outside.v4}'), 50)`
      mesh.network.start(outside, applicationUid, process.execPath, '-e', answer)
      expect(mesh.network.run(client, process.execPath, '-e', ask).trim()).toBe(marker)
    })

    test('a connection to a port that nobody listens on is reset, whoever asks', () => {
      for (const pod of [client, outside]) {
        const text = `require('net').connect(7999, '${server.v4}').on('error', ({ code }) => console.log(code)).write(Buffer.from([0, 1]))`
        expect(mesh.network.run(pod, process.execPath, '-e', text).trim()).toBe('ECONNRESET')
      }
    })

    test('an address that nobody listens on is an error of the request, not of the sidecar', () => {
      const status = mesh.curl(client, '-o', '/dev/null', '-w', '%{http_code}', `http://${server.v4}:7999/`)
      expect(status).toBe('503')
    })

    test("nobody outside gets at the sidecar's own ports, which would be its identity, or a loop", () => {
      for (const port of [4140, 4143, 4191])
        for (const address of [server.v4, `[${server.v6}]`]) {
          expect(() => mesh.curl(outside, `http://${address}:${port}/ready`)).toThrow(/curl: \((?:7|52|56)\)/)
          const asProxy = ['--proxy', `http://${address}:${port}`, 'http://server:8080/page.txt']
          expect(() => mesh.curl(outside, ...asProxy)).toThrow(/curl: \((?:7|52|56)\)/)
        }
      expect(mesh.metric(server, 'tcp_open_connections')).toBeLessThan(20)
    })

    test('the application may still use its sidecar as a proxy', () => {
      const args = ['--proxy', 'http://127.0.0.1:4140', 'http://server:8080/page.txt']
      expect(mesh.curl(client, ...args)).toBe(`${marker}\n`)
    })

    test('rules are set twice to the same effect, and what others have set stays', () => {
      const rules = (): string =>
        ['iptables', 'ip6tables'].map((tool) => mesh.network.run(client, tool, '-t', 'nat', '-S')).join('')
      mesh.network.run(client, 'iptables', '-t', 'nat', '-A', 'OUTPUT', '-d', '10.9.9.9/32', '-j', 'ACCEPT')
      const before = rules()
      const main = path.join(import.meta.dirname, '../../cli/main.ts')
      mesh.network.run(client, process.execPath, main, 'init', '--skip-outbound-ports=9001')
      const after = rules()
      expect(after.split('\n').toSorted()).toEqual(before.split('\n').toSorted())
      expect(after).toContain('10.9.9.9/32')
      expect(mesh.curl(client, `http://${clusterIp}:8080/page.txt`)).toBe(`${marker}\n`)
    })

    test('an interface that is skipped is passed in both directions, and no longer when it is not', () => {
      const opened = (): number => mesh.metric(client, 'tcp_open_total')
      const main = path.join(import.meta.dirname, '../../cli/main.ts')
      const init = (...flags: readonly string[]): string =>
        mesh.network.run(client, process.execPath, main, 'init', '--skip-outbound-ports=9001', ...flags)
      const before = opened()
      init('--skip-interfaces=eth+')
      expect((JSON.parse(mesh.curl(client, `http://${server.v4}:7070/`)) as Echo).name).toBe('unnamed')
      // The sidecar is not there for those outside, and nobody else listens.
      expect(() => mesh.curl(outside, `http://${client.v4}:7070/`)).toThrow(/curl: \(7\)/)
      expect(opened()).toBe(before)
      init()
      expect(mesh.curl(client, `http://${clusterIp}:8080/page.txt`)).toBe(`${marker}\n`)
      expect(opened()).toBe(before + 1)
    })

    test('networks that are skipped are reached past the sidecar, of both families', () => {
      const opened = (): number => mesh.metric(client, 'tcp_open_total')
      const main = path.join(import.meta.dirname, '../../cli/main.ts')
      const init = (...flags: readonly string[]): string =>
        mesh.network.run(client, process.execPath, main, 'init', '--skip-outbound-ports=9001', ...flags)
      const before = opened()
      init('--skip-subnets=10.77.0.0/24,fd77::/64')
      for (const address of [server.v4, `[${server.v6}]`])
        expect((JSON.parse(mesh.curl(client, `http://${address}:7070/`)) as Echo).name).toBe('unnamed')
      expect(opened()).toBe(before)
      init()
      expect(mesh.curl(client, `http://${clusterIp}:8080/page.txt`)).toBe(`${marker}\n`)
      expect(opened()).toBe(before + 1)
    })

    test('a sidecar that is killed leaves no way past it, and serves again when it has been started anew', async () => {
      const status = (pod: PodNetwork): string =>
        mesh.curl(pod, '-o', '/dev/null', '-w', '%{http_code}', `http://${clusterIp}:3000/`)
      expect(status(client)).toBe('200')
      const pid = /pid=(\d+)/.exec(mesh.network.run(server, 'ss', '-Hltnp', 'sport = :4143'))?.[1]
      process.kill(Number(pid), 'SIGKILL')
      expect(status(client)).toBe('503')
      expect(() => mesh.curl(outside, `http://${server.v4}:3000/`)).toThrow(/curl: \(7\)/)
      expect(() => mesh.curl(server, `http://${outside.v4}:9002/`)).toThrow(/curl: \(7\)/)
      server = await mesh.startSidecar(server, { containerPorts: [], init: ['--skip-inbound-ports=9000'] })
      expect(status(client)).toBe('200')
    })

    test('the sidecars ran without a fault', () => {
      expect(applicationUid).not.toBe(2102)
      for (const { log } of [client, server])
        expect(
          log()
            .split('\n')
            .filter((line) => /"level":"(?:error|fatal)"/.test(line)),
        ).toEqual([])
    })
  },
)

/** Real programs that do not speak HTTP, between redirected pods: redis, nginx with its own TLS, servers that speak first. */
import { chownSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { recorded } from './capture.ts'
import { run } from './network.ts'
import { applicationUid, type Pod, RedirectedMesh } from './redirected-mesh.ts'
import { describeWith } from './requirements.ts'

const redis = '10.96.1.1'
const redisB = '10.96.1.2'
const both = '10.96.1.3'
const secure = '10.96.1.4'
const nowhere = '10.96.9.9'
const host = 'secure.shop.svc.cluster.local'
const greetingPort = { opaque: 3306, detected: 5000 } as const
const marker = 'weft-through-the-warp-7d1f'
const proven = 'client_id="spiffe://cluster.local/ns/shop/sa/client"'

let mesh: RedirectedMesh
let client: Pod
let one: Pod
let two: Pod

function cli(address: string, ...words: readonly string[]): string {
  return mesh.network.run(client, 'redis-cli', '-h', address, ...words).trim()
}

/** Of the client's pod; `bash` for its /dev/tcp. */
function shell(script: string): string {
  return mesh.network.run(client, 'bash', '-c', script).trim()
}

/** A redis-cli that waits for what others do; gives what it has printed. */
function waiting(...words: readonly string[]): () => string {
  let printed = ''
  const child = mesh.network.start(client, applicationUid, 'redis-cli', '-h', redis, ...words)
  child.stdout?.on('data', (piece: Buffer) => {
    printed += piece.toString()
  })
  return () => printed
}

function startRedis(pod: Pod): Promise<void> {
  const options = ['--save', '', '--protected-mode', 'no', '--bind', '0.0.0.0', '--dir', '/tmp']
  return mesh.startApplication(pod, 6379, 'redis-server', '--port', '6379', ...options)
}

async function startNginx(pod: Pod): Promise<void> {
  const at = (name: string): string => path.join(mesh.folder, name)
  mkdirSync(at('work'))
  const [key, certificate] = [at('work/key.pem'), at('certificate.pem')]
  const subject = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`]
  run('openssl', [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
    '-keyout',
    key,
    '-out',
    certificate,
    ...subject,
  ])
  for (const file of [at('work'), key]) chownSync(file, applicationUid, applicationUid)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${at(`work/${name}`)};`)
    .join(' ')
  const server = `listen 8443 ssl; ssl_certificate ${certificate}; ssl_certificate_key ${key};
    location / { return 200 "${marker}\\n"; }`
  writeFileSync(
    at('nginx.conf'),
    `daemon off; pid ${at('work/nginx.pid')}; error_log stderr; events {}
     http { access_log off; ${temporary} server { ${server} } }`,
  )
  await mesh.startApplication(pod, 8443, 'nginx', '-e', 'stderr', '-c', at('nginx.conf'))
}

async function startGreeting(port: number): Promise<void> {
  const program = path.join(import.meta.dirname, 'greeting-application.ts')
  await mesh.startApplication(one, port, process.execPath, program, String(port), 'well met')
}

const tools = ['ip', 'iptables-restore', 'ip6tables-restore', 'setpriv', 'ss', 'curl', 'nginx', 'openssl']

describeWith(
  [...tools, 'redis-server', 'redis-cli', 'tcpdump', 'bash'],
  'programs that do not speak HTTP',
  () => {
    beforeAll(async () => {
      mesh = new RedirectedMesh()
      const plan = { containerPorts: [6379] }
      client = mesh.addPod('client', { containerPorts: [] })
      one = mesh.addPod('one', plan)
      two = mesh.addPod('two', plan)
      mesh.addService('redis', [redis], one, [6379, greetingPort.opaque, greetingPort.detected])
      mesh.addService('redis-b', [redisB], two, [6379])
      mesh.addService('both', [both], one, [6379])
      mesh.addService('secure', [secure], one, [8443])
      mesh.addSplit('both', { redis: 50, 'redis-b': 50 })
      await mesh.startControlPlane()
      client = await mesh.startSidecar(client, { containerPorts: [] })
      one = await mesh.startSidecar(one, plan)
      two = await mesh.startSidecar(two, plan)
      await startRedis(one)
      await startRedis(two)
      await startNginx(one)
      await startGreeting(greetingPort.opaque)
      await startGreeting(greetingPort.detected)
    })
    afterAll(() => mesh?.remove())

    test("redis-cli's commands pass through both sidecars, unseen on the wire, by a client that is proven", async () => {
      const wire = await recorded(mesh.network, one, path.join(mesh.folder, 'redis.pcap'), () => {
        expect(cli(redis, 'PING')).toBe('PONG')
        expect(cli(redis, 'SET', 'thread', marker)).toBe('OK')
        expect(cli(redis, 'GET', 'thread')).toBe(marker)
      })
      expect(wire).toContain('weft-tcp')
      expect(wire).not.toContain(marker)
      const labels = ['direction="inbound"', 'tls="true"', 'target_port="6379"', proven]
      expect(mesh.metric(one, 'tcp_open_total', ...labels)).toBe(3)
      expect(mesh.metric(one, 'tcp_close_total', ...labels, 'classification="success"')).toBe(3)
      expect(mesh.metric(client, 'tcp_open_total', 'direction="outbound"', 'dst_service="redis"')).toBe(3)
      expect(mesh.metric(client, 'tcp_write_bytes_total', 'peer="dst"')).toBeGreaterThan(marker.length)
    })

    test('a pipeline of 10,000 commands is answered in full', () => {
      const answer = shell(
        `for i in $(seq 10000); do echo "SET key:$i value:$i"; done | redis-cli -h ${redis} --pipe`,
      )
      expect(answer).toContain('errors: 0, replies: 10000')
      expect(cli(redis, 'GET', 'key:10000')).toBe('value:10000')
    })

    test('a value of 20 MB arrives as it was sent', () => {
      shell(`head -c 20000000 /dev/zero | tr '\\0' x | redis-cli -h ${redis} -x SET large`)
      expect(cli(redis, 'STRLEN', 'large')).toBe('20000000')
      expect(shell(`redis-cli -h ${redis} GET large | tr -d '\\n' | md5sum`)).toBe(
        shell("head -c 20000000 /dev/zero | tr '\\0' x | md5sum"),
      )
    })

    test('a subscriber hears what is published later', async () => {
      const heard = waiting('SUBSCRIBE', 'news')
      await expect.poll(() => heard(), { timeout: 30_000 }).toContain('subscribe')
      // It may wait for days: a server that is gone has to be noticed.
      const towards = ['-Htno', 'state', 'established', `dst ${one.v4} and dport = :6379`]
      expect(mesh.network.run(client, 'ss', ...towards)).toContain('timer:(keepalive,')
      expect(mesh.metric(client, 'tcp_open_connections', 'dst_service="redis"')).toBe(1)
      expect(cli(redis, 'PUBLISH', 'news', marker)).toBe('1')
      await expect.poll(() => heard(), { timeout: 30_000 }).toContain(marker)
    })

    test('a command that blocks is answered once there is something', async () => {
      const got = waiting('BLPOP', 'queue', '20')
      await expect.poll(() => cli(redis, 'INFO', 'clients')).toMatch(/blocked_clients:1/)
      expect(got()).toBe('')
      cli(redis, 'LPUSH', 'queue', marker)
      await expect.poll(() => got(), { timeout: 30_000 }).toContain(marker)
    })

    test('a split of halves sends each connection to one of the two', () => {
      expect(cli(redis, 'SET', 'name', 'one')).toBe('OK')
      expect(cli(redisB, 'SET', 'name', 'two')).toBe('OK')
      const count: Record<string, number> = { one: 0, two: 0 }
      for (let i = 0; i < 60; i++) {
        const name = cli(both, 'GET', 'name')
        count[name] = (count[name] ?? 0) + 1
      }
      expect(Object.keys(count)).toHaveLength(2)
      // Below one in a million for a fair split.
      expect(Math.min(count['one'] ?? 0, count['two'] ?? 0)).toBeGreaterThan(11)
      expect(mesh.metric(two, 'tcp_open_total', 'peer="dst"', 'tls="true"')).toBe((count['two'] ?? 0) + 1)
    })

    test("nginx's own TLS is ended by nginx alone, inside of mesh TLS", async () => {
      const certificate = path.join(mesh.folder, 'certificate.pem')
      const get = (address: string): string =>
        mesh.curl(
          client,
          '--cacert',
          certificate,
          '--resolve',
          `${host}:8443:${address}`,
          `https://${host}:8443/`,
        )
      const wire = await recorded(mesh.network, one, path.join(mesh.folder, 'tls.pcap'), () => {
        expect(get(secure)).toBe(`${marker}\n`)
      })
      expect(wire).toContain('weft-tcp')
      // The server name is inside.
      expect(wire).not.toContain(host)
      const labels = ['direction="inbound"', 'target_port="8443"', proven]
      expect(mesh.metric(one, 'tcp_open_total', ...labels)).toBe(1)
      // An address that is nobody's: the server name alone says where to.
      expect(get(nowhere)).toBe(`${marker}\n`)
      expect(mesh.metric(one, 'tcp_open_total', ...labels)).toBe(2)
    })

    test.each(Object.entries(greetingPort))(
      'a server that speaks first is heard on its %s port',
      (_, port) => {
        const talk = `exec 3<>/dev/tcp/${redis}/${port}; read -t 5 -u 3 a; echo back >&3; read -t 5 -u 3 b; echo "$a, $b"`
        expect(shell(talk)).toBe('well met, back')
        expect(mesh.metric(one, 'tcp_open_total', `target_port="${port}"`, proven)).toBe(1)
      },
    )

    test('the sidecars ran without a fault, and refused nobody', () => {
      expect(mesh.metric(client, 'tcp_open_total', 'peer="src"')).toBeGreaterThan(60)
      for (const { log } of [client, one, two])
        expect(
          log()
            .split('\n')
            .filter((line) => /"level":"(?:error|fatal|warn)"/.test(line)),
        ).toEqual([])
    })
  },
)

/** The end-to-end truth of injected pods: made by controllers through the webhook, run as their specs say, calling each other. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { recorded } from '../../system/capture.ts'
import { run } from '../../system/network.ts'
import { Cluster } from './cluster.ts'
import { describeInOwnNetwork } from './own-network.ts'
import type { RunningPod } from './running-pod.ts'

let cluster: Cluster
let caller: RunningPod

const inMesh = ['tls="true"', 'client_id="spiffe://cluster.local/ns/shop/sa/caller"']

/** The sum of a family's samples in a pod's sidecar whose labels include all of `labels`. */
async function metric(pod: RunningPod, family: string, ...labels: readonly string[]): Promise<number> {
  const text = await pod.exec('weft-proxy', 'curl', '-s', 'http://127.0.0.1:4191/metrics')
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${family}{`) && labels.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

function curl(pod: RunningPod, ...args: readonly string[]): Promise<string> {
  return pod.exec(pod.pod.spec.containers[0]?.name ?? '', 'curl', '-sS', '--max-time', '10', ...args)
}

function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ')
}

const webYaml = readFileSync(path.join(import.meta.dirname, 'web.yaml'), 'utf8')
const fixtures = path.join(import.meta.dirname, '../../fixtures')
const marker = 'warp-and-weft-7d21'
const tools = [
  'ip',
  'iptables-nft-restore',
  'iptables-legacy-restore',
  'ip6tables-restore',
  'setpriv',
  'setcap',
  'nsenter',
  'curl',
  'nginx',
  'redis-server',
  'redis-cli',
  'tcpdump',
  'openssl',
  'kubectl',
]

/** A certificate of the application's own, which the mesh knows nothing of. */
function ownCertificate(): { readonly key: string; readonly cert: string } {
  const [key, cert] = ['own.key', 'own.crt'].map((name) => path.join(cluster.folder, name)) as [
    string,
    string,
  ]
  const subject = [
    '-subj',
    '/CN=web',
    '-addext',
    'subjectAltName=DNS:web,DNS:web.shop',
    '-days',
    '1',
    '-nodes',
  ]
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
  run('openssl', ['req', '-x509', ...ec, ...subject, '-keyout', key, '-out', cert])
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
}

function wire(pod: RunningPod, act: () => Promise<void> | void): Promise<string> {
  return recorded(cluster.network, pod.network, path.join(cluster.folder, 'wire.pcap'), act)
}

describeInOwnNetwork(tools, 'pods of a cluster', () => {
  let web: RunningPod
  let guarded: RunningPod
  let outside: RunningPod
  let sealed: RunningPod

  beforeAll(async () => {
    cluster = await Cluster.start()
    await cluster.addNamespace('outside', {})
    await cluster.addNamespace('shop', { 'weft.dev/inject': 'enabled' })
    await cluster.addNamespace(
      'sealed',
      { 'weft.dev/inject': 'enabled', 'config.weft.dev/interception': 'cni' },
      { 'pod-security.kubernetes.io/enforce': 'restricted' },
    )
    const { key, cert } = ownCertificate()
    const data = { 'tls.key': key, 'tls.crt': cert }
    await cluster.server.apply(webYaml.replace('data:\n', `data:\n${indented(stringify(data))}`))
    ;[caller, guarded, web] = (await cluster.ready('shop', 3)) as [RunningPod, RunningPod, RunningPod]
    ;[outside] = (await cluster.ready('outside', 1)) as [RunningPod]
    ;[sealed] = (await cluster.ready('sealed', 1)) as [RunningPod]
  }, 180_000)
  afterAll(() => cluster?.stop(), 60_000)

  test('an application calls another by the name of its Service, and nobody reads it on the wire', async () => {
    let answers: readonly string[] = []
    const bytes = await wire(web, async () => {
      answers = [
        await curl(caller, 'http://web/'),
        await curl(caller, '-d', marker, `http://web.shop:3000/${marker}`),
      ]
    })
    expect(answers[0]).toBe('nginx of web\n')
    expect(JSON.parse(answers[1] as string)).toMatchObject({
      url: `/${marker}`,
      body: marker,
      host: web.name,
    })
    expect(bytes).toContain('weft-m1')
    expect(bytes).not.toContain(marker)
    expect(await metric(web, 'request_total', 'direction="inbound"', ...inMesh)).toBe(2)
  })

  test('by the IPv6 address of its Service, the same', async () => {
    const before = await metric(web, 'request_total', 'direction="inbound"', ...inMesh)
    const address = cluster.kubelet.addressesOf('web.shop.svc.cluster.local')?.find((ip) => ip.includes(':'))
    expect(await curl(caller, `http://[${address}]/`)).toBe('nginx of web\n')
    expect(await metric(web, 'request_total', 'direction="inbound"', ...inMesh)).toBe(before + 1)
  })

  test("an application's own TLS is carried inside the mesh's", async () => {
    let answer = ''
    const bytes = await wire(web, async () => {
      answer = await curl(caller, '--insecure', 'https://web/')
    })
    expect(answer).toBe('nginx of web, by its own TLS\n')
    expect(bytes).toContain('weft-tcp')
    expect(
      await metric(web, 'tcp_open_total', 'direction="inbound"', 'target_port="8443"', ...inMesh),
    ).toBeGreaterThan(0)
  })

  test('it calls itself through its Service, as who it is', async () => {
    const own = 'client_id="spiffe://cluster.local/ns/shop/sa/web"'
    expect(await curl(web, 'http://web/')).toBe('nginx of web\n')
    expect(await metric(web, 'request_total', 'direction="inbound"', own)).toBe(1)
  })

  test('a port that its annotation skips is reached past the sidecar, through the Service and at the pod', async () => {
    const opened = (): Promise<number> => metric(web, 'tcp_open_total', 'direction="inbound"')
    const before = await opened()
    let answers: readonly string[] = []
    const bytes = await wire(web, async () => {
      answers = await Promise.all(
        ['web', web.network.v4].map((host) => curl(caller, `http://${host}:9000/${marker}`)),
      )
    })
    expect(answers).toEqual(['past the sidecar\n', 'past the sidecar\n'])
    expect(bytes).toContain(marker)
    expect(await opened()).toBe(before)
  })

  test('a client without a sidecar is served, and a server without one is reached', async () => {
    expect(await curl(outside, 'http://web.shop/')).toBe('nginx of web\n')
    expect(await metric(web, 'request_total', 'direction="inbound"', 'tls="false"')).toBe(1)
    const answer = await curl(caller, '-d', marker, `http://${outside.network.v4}:3000/`)
    expect(JSON.parse(answer)).toMatchObject({ body: marker, host: outside.name })
  })

  test('in a restricted namespace, where a CNI plugin redirects, a pod without any rights is carried the same', async () => {
    const names = (sealed.pod.spec.initContainers ?? []).map(({ name }) => name)
    expect(names).toEqual(['weft-proxy'])
    let answer = ''
    const bytes = await wire(sealed, async () => {
      answer = await curl(caller, '-d', marker, 'http://sealed.sealed:3000/')
    })
    expect(JSON.parse(answer)).toMatchObject({ body: marker, host: sealed.name })
    expect(bytes).toContain('weft-m1')
    expect(bytes).not.toContain(marker)
    expect(await metric(sealed, 'request_total', 'direction="inbound"', ...inMesh)).toBe(1)
    const own = 'client_id="spiffe://cluster.local/ns/sealed/sa/default"'
    expect(await curl(sealed, 'http://web.shop/')).toBe('nginx of web\n')
    expect(await metric(web, 'request_total', 'direction="inbound"', own)).toBe(1)
  })

  test('a pod that asks for it refuses who comes in clear, on ports that it does not declare too', async () => {
    const url = `http://${guarded.network.v4}:3000/`
    expect(JSON.parse(await curl(caller, url))).toMatchObject({ host: guarded.name })
    expect(await curl(outside, url)).toBe('REQUEST_DENIED: a policy denies the request\n')
  })

  test('every probe of theirs is answered through the sidecar, and fails with the application', async () => {
    expect(await web.probes()).toEqual({
      'weft-proxy/startupProbe': true,
      'weft-proxy/readinessProbe': true,
      'weft-proxy/livenessProbe': true,
      'nginx/readinessProbe': true,
      'nginx/livenessProbe': true,
      'application/startupProbe': true,
      'application/readinessProbe': true,
      'application/livenessProbe': true,
    })
    const asked = web.pod.spec.containers.flatMap(({ livenessProbe, readinessProbe }) => [
      livenessProbe?.httpGet?.port,
      readinessProbe?.httpGet?.port,
    ])
    expect(new Set(asked)).toEqual(new Set([4191]))
    expect(await guarded.probes()).toMatchObject({ 'application/readinessProbe': true })
    guarded.kill('application')
    await cluster.until(
      'the probe to fail',
      async () => !(await guarded.probes())['application/readinessProbe'],
    )
  })

  test('its init container run again changes nothing', async () => {
    const rules = (): string => cluster.network.run(caller.network, 'iptables-save', '-t', 'nat')
    const lines = (): readonly string[] =>
      rules()
        .split('\n')
        .filter((line) => /^[-:]/.test(line))
    const before = lines().map((line) => line.replace(/\[.*\]/, ''))
    expect(before.join('\n')).toContain('--to-ports 4140')
    expect(await caller.runAgain('weft-init')).toBe(0)
    expect(lines().map((line) => line.replace(/\[.*\]/, ''))).toEqual(before)
    expect(await curl(caller, 'http://web/')).toBe('nginx of web\n')
  })

  test('members of an ensemble find each other by their stable names, on every port, by mTLS', async () => {
    await cluster.server.kubectl(['apply', '-n', 'shop', '-f', path.join(fixtures, 'ensemble.yaml')])
    const members = await cluster.ready('shop', 3, 'keeper-')
    expect(members.map(({ name }) => name)).toEqual(['keeper-0', 'keeper-1', 'keeper-2'])
    const [first] = members as [RunningPod]
    const ports = (peer: string): string => [2888, 3888].map((port) => `${peer} ${port}`).join(', ')
    const ask = 'exec 3<>/dev/tcp/keeper/2181; echo mntr >&3; cat <&3'
    expect(await caller.exec('shell', 'bash', '-c', ask)).toMatch(
      /^keeper-\d 2888, keeper-\d 3888, keeper-\d 2888, /,
    )
    expect((await first.exec('keeper', 'bash', '-c', ask.replace('/keeper/', '/127.0.0.1/'))).trim()).toBe(
      `${ports('keeper-1')}, ${ports('keeper-2')}`,
    )
    for (const member of members)
      for (const port of [2888, 3888])
        expect(
          await metric(
            member,
            'tcp_open_total',
            'direction="inbound"',
            `target_port="${port}"`,
            'client_id="spiffe://cluster.local/ns/shop/sa/default"',
          ),
        ).toBeGreaterThanOrEqual(2)
  })

  test('redis is reached at each replica by its name, by mTLS', async () => {
    await cluster.server.kubectl(['apply', '-n', 'shop', '-f', path.join(fixtures, 'redis.yaml')])
    const replicas = await cluster.ready('shop', 2, 'redis-')
    const redis = async (...words: readonly string[]): Promise<string> =>
      (await caller.exec('shell', 'redis-cli', ...words)).trim()
    const [first] = replicas as [RunningPod]
    const bytes = await wire(first, async () => {
      for (const { name } of replicas) {
        expect(await redis('-h', `${name}.redis`, 'SET', 'thread', `${marker} ${name}`)).toBe('OK')
        expect(await redis('-h', `${name}.redis`, 'GET', 'thread')).toBe(`${marker} ${name}`)
      }
    })
    expect(bytes).toContain('weft-tcp')
    expect(bytes).not.toContain(marker)
    expect(
      await metric(first, 'tcp_open_total', 'direction="inbound"', 'target_port="6379"', ...inMesh),
    ).toBe(2)
  })

  test('a driver and its executors call each other by their addresses, and the Jobs complete', async () => {
    const text = readFileSync(path.join(fixtures, 'batch.yaml'), 'utf8')
    const [driverJob = '', executorsJob = ''] = text.split('\n---\n')
    await cluster.server.kubectl(['apply', '-n', 'shop', '-f', '-'], driverJob)
    const [driver] = (await cluster.ready('shop', 1, 'batch-driver')) as [RunningPod]
    const there = executorsJob.replace('10.244.0.9', driver.network.v4)
    expect(there).toContain(driver.network.v4)
    const bytes = await wire(driver, async () => {
      await cluster.server.kubectl(['apply', '-n', 'shop', '-f', '-'], there)
      await cluster.until('the driver to end', () => driver.phase === 'Succeeded')
    })
    expect(driver.log('driver').trim().split('\n')).toHaveLength(2)
    expect(bytes).toContain('weft-m1')
    expect(bytes).not.toContain('/register')
    const complete = ['wait', '-n', 'shop', '--for=condition=Complete', '--timeout=30s']
    await cluster.server.kubectl([...complete, 'job/batch-driver', 'job/batch-executors'])
  })

  test('what the control plane was asked with was the token of the pod, and no sidecar complained', async () => {
    const enrolled = caller
      .log('weft-proxy')
      .split('\n')
      .find((line) => line.includes('"enrolled"'))
    expect(enrolled).toContain('spiffe://cluster.local/ns/shop/sa/caller')
    for (const pod of cluster.pods('shop'))
      expect(
        pod
          .log('weft-proxy')
          .split('\n')
          .filter((line) => /"level":"(?:error|fatal)"/.test(line)),
      ).toEqual([])
    expect(cluster.kubelet.faults).toEqual([])
  })
})

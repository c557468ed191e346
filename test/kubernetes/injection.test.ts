import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { injectManifests } from '../../cli/inject.ts'
import { installText, uninstallText } from '../../cli/install.ts'
import { systemClock } from '../../core/clock.ts'
import { KubernetesClient } from '../../core/kubernetes/api-client.ts'
import { readKubeconfig } from '../../core/kubernetes/kubeconfig.ts'
import { createLog } from '../../core/log.ts'
import { type RunningInjector, startInjector } from '../../injector/injector.ts'
import { readInjectorSettings } from '../../injector/settings.ts'
import { testPlan } from '../../injector/test-plan.ts'
import { accountKubeconfig } from '../support/account-kubeconfig.ts'
import { injectorRights } from '../../deploy/manifests/roles.ts'
import { compareRights } from '../support/api-rights.ts'
import { ApiServer } from '../support/api-server.ts'
import { ClusterControlPlane } from '../support/cluster-control-plane.ts'
import { testOwnServer } from './own-server.ts'
import { hasSidecar, type MadePod, manifestOf, unusualPods } from './unusual-pods.ts'

const root = path.join(import.meta.dirname, '../..')
const golden = path.join(root, 'injector/golden')
const folder = mkdtempSync(path.join(tmpdir(), 'weft-injection-'))
const log = createLog({ process: 'test', level: 'silent' })
const install = {
  image: testPlan.image,
  imagePullPolicy: 'IfNotPresent',
  trustDomain: 'cluster.local',
  interception: 'init',
} as const

let server: ApiServer
let api: KubernetesClient
let controlPlane: ClusterControlPlane | undefined
let injector: RunningInjector | undefined

type Spoken = { readonly stdout: string; readonly stderr: string; readonly failed: boolean }

/** kubectl with all that it says, warnings and refusals included. */
async function kubectl(args: readonly string[], input = ''): Promise<Spoken> {
  const env = { ...process.env, KUBECONFIG: server.kubeconfig }
  const running = promisify(execFile)('kubectl', [...args], { env, timeout: 60_000 })
  running.child.stdin?.end(input)
  try {
    return { ...(await running), failed: false }
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    return { stdout, stderr, failed: true }
  }
}

let kubeconfig = ''

/** With the rights of its ServiceAccount and no others. */
function run(address: string): Promise<RunningInjector> {
  const args = [
    `--kubeconfig=${kubeconfig}`,
    `--webhook-address=${address}`,
    '--admin-address=127.0.0.1:0',
    '--dns-names=localhost',
    '--drain-delay=0',
    `--image=${testPlan.image}`,
  ]
  return startInjector(readInjectorSettings({ args, env: {} }), log, {})
}

async function publishedBundle(): Promise<string> {
  const column = 'jsonpath={.data.root-cert\\.pem}'
  return (await kubectl(['get', 'configmap', '-n', 'weft', 'weft-trust-bundle', '-o', column])).stdout
}

async function namespace(name: string, annotations: object, labels: object = {}): Promise<void> {
  const metadata = { name, annotations, labels }
  await server.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata }))
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'web', namespace: name } }
  await server.apply(JSON.stringify(account))
  // Pods are refused until the default account is there.
  await until(async () => !(await kubectl(['get', 'serviceaccount', 'default', '-n', name])).failed)
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error('it did not come to hold')
    await new Promise((resolve) => void setTimeout(resolve, 100))
  }
}

/** This process is no Service: the webhook is reached by an address, and all else stays as it is installed. */
async function pointWebhook(port: number): Promise<void> {
  const clientConfig = { url: `https://localhost:${port}/inject` }
  const patch = [{ op: 'replace', path: '/webhooks/0/clientConfig', value: clientConfig }]
  const name = 'mutatingwebhookconfiguration/weft-injector'
  await server.kubectl(['patch', name, '--type=json', '-p', JSON.stringify(patch)])
}

beforeAll(async () => {
  server = await ApiServer.start()
  api = new KubernetesClient(readKubeconfig([server.kubeconfig]), systemClock)
  await server.apply(installText({ ...install, ha: false }))
  // The control plane publishes what it is trusted by, with the rights that it was installed with.
  controlPlane = await ClusterControlPlane.start(
    await accountKubeconfig(server, 'weft-control-plane', folder),
  )
  await controlPlane.untilReady()
  kubeconfig = await accountKubeconfig(server, 'weft-injector', folder)
  await until(async () => (await publishedBundle()) !== '')
  injector = await run('127.0.0.1:0')
  await pointWebhook(injector.webhookPort)
  await injector.shutdown.run(5_000)
  // Started anew, it puts its certificate into the configuration as it is now.
  injector = await run(`127.0.0.1:${injector.webhookPort}`)
  await namespace('shop', { 'weft.dev/inject': 'enabled' })
  await namespace('plain', {})
  // The API server has heard of the new configuration.
  await until(async () => {
    const { stdout } = await create('shop', readFileSync(path.join(golden, 'plain.yaml'), 'utf8'))
    return stdout.includes('weft-proxy')
  })
}, 300_000)

afterAll(async () => {
  await injector?.shutdown.run(5_000)
  await controlPlane?.stop()
  api?.close()
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

type Created = { readonly spec: object; readonly metadata: { annotations?: Record<string, string> } }

function create(inNamespace: string, manifest: string): Promise<Spoken> {
  return kubectl(['create', '-n', inNamespace, '--dry-run=server', '-o', 'json', '-f', '-'], manifest)
}

/** What the ServiceAccount admission adds has a random name. */
function anonymous(text: string): string {
  return text.replaceAll(/kube-api-access-[a-z0-9]{5}/g, 'kube-api-access')
}

/** The spec without that name, wherever it stands. */
function comparable(text: string): object {
  const { spec } = JSON.parse(anonymous(text)) as { spec: { volumes?: { name: string }[] } }
  return { ...spec, volumes: spec.volumes?.toSorted((a, b) => (a.name < b.name ? -1 : 1)) }
}

const shapes = readdirSync(golden)
  .filter((file) => file.endsWith('.injected.yaml'))
  .map((file) => file.replace('.injected.yaml', ''))
const injected = shapes.filter((shape) =>
  readFileSync(path.join(golden, `${shape}.injected.yaml`), 'utf8').startsWith('apiVersion'),
)

test.each(injected)(
  'the API server makes of a pod of the shape %s what its golden file says',
  async (shape) => {
    const asked = await create('shop', readFileSync(path.join(golden, `${shape}.yaml`), 'utf8'))
    expect(asked.stderr.replaceAll(/^Warning.*\n/gm, '')).toBe('')
    const expected = parse(readFileSync(path.join(golden, `${shape}.injected.yaml`), 'utf8')) as object
    const { warnings: _, ...pod } = expected as { warnings?: unknown }
    // The same pod, written by hand in a namespace that has no sidecars: with the API server's defaults, too.
    const written = await create('plain', JSON.stringify(pod))
    expect(written.stderr).toBe('')
    expect(comparable(asked.stdout)).toEqual(comparable(written.stdout))
  },
)

test('a pod that opts out, or has a sidecar, is left as it is', async () => {
  for (const shape of ['opted-out', 'already-injected']) {
    const text = readFileSync(path.join(golden, `${shape}.yaml`), 'utf8')
    const [asked, written] = [await create('shop', text), await create('plain', text)]
    expect(comparable(asked.stdout)).toEqual(comparable(written.stdout))
  }
})

test('whoever makes a pod on the network of its node is told that it has no sidecar', async () => {
  const { stdout, stderr } = await create(
    'shop',
    readFileSync(path.join(golden, 'host-network.yaml'), 'utf8'),
  )
  expect(stderr).toContain("Warning: weft adds no sidecar: it uses the node's network")
  expect(stdout).not.toContain('weft-proxy')
})

test("whoever makes a pod that runs as the sidecar's user is told why it is refused", async () => {
  const { stderr, failed } = await create('shop', readFileSync(path.join(golden, 'own-uid.yaml'), 'utf8'))
  expect(failed).toBe(true)
  expect(stderr).toContain("weft cannot add its sidecar: container 'web' runs as user 2102")
})

/** What a Deployment, a Job and a StatefulSet make of the specs of three golden shapes. */
test('pods that controllers make get the sidecars that their golden files say', async () => {
  const shape = (name: string) =>
    parse(readFileSync(path.join(golden, `${name}.yaml`), 'utf8')) as {
      readonly metadata: { readonly annotations?: object }
      readonly spec: { readonly [field: string]: unknown }
    }
  const labels = (name: string) => ({ made: name })
  const workload = (kind: string, name: string, of: string, more: object) => {
    const { metadata, spec } = shape(of)
    const template = { metadata: { labels: labels(name), annotations: metadata.annotations ?? {} }, spec }
    const selector = kind === 'Job' ? {} : { selector: { matchLabels: labels(name) } }
    const apiVersion = kind === 'Job' ? 'batch/v1' : 'apps/v1'
    return {
      apiVersion,
      kind,
      metadata: { name, namespace: 'shop' },
      spec: { ...selector, ...more, template },
    }
  }
  const items = [
    workload('Deployment', 'web', 'plain', { replicas: 2 }),
    workload('Job', 'report', 'job', {}),
    workload('StatefulSet', 'redis', 'stateful-set', { serviceName: 'redis' }),
  ]
  await server.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
  const ours = ({ spec }: MadePod): object => {
    const { containers, initContainers, volumes } = spec
    const of = (list: readonly { readonly name: string }[] = []) =>
      list.filter(({ name }) => name.startsWith('weft-'))
    const found = { init: of(initContainers), containers: of(containers), volumes: of(volumes) }
    return JSON.parse(anonymous(JSON.stringify(found))) as object
  }
  for (const [name, of, count] of [
    ['web', 'plain', 2],
    ['report', 'job', 1],
    ['redis', 'stateful-set', 1],
  ] as const) {
    const { warnings: _, ...pod } = parse(readFileSync(path.join(golden, `${of}.injected.yaml`), 'utf8')) as {
      warnings?: unknown
    }
    const expected = JSON.parse((await create('plain', JSON.stringify(pod))).stdout) as MadePod
    const at = `/api/v1/namespaces/shop/pods?labelSelector=made%3D${name}`
    let made: readonly (MadePod & Created)[] = []
    await until(async () => {
      made = ((await api.request('GET', at)).body as { readonly items: typeof made }).items
      return made.length === count
    })
    for (const each of made) {
      expect(ours(each)).toEqual(ours(expected))
      expect(each.metadata.annotations?.['weft.dev/trust-bundle']).toBe(await publishedBundle())
      expect(each.metadata.annotations?.['kubectl.kubernetes.io/default-container']).toBe(name)
    }
  }
  await server.kubectl(['delete', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
})

const podsOfShop = '/api/v1/namespaces/shop/pods'

test.each(unusualPods)('a pod $what', async (pod) => {
  const { status, body } = await api.request('POST', `${podsOfShop}?dryRun=All`, manifestOf(pod))
  const { message = '' } = body as { readonly message?: string }
  expect(message).toMatch(pod.refused ?? '')
  expect(status < 300).toBe(pod.refused === undefined)
  if (pod.refused === undefined) expect((pod.made ?? hasSidecar)(body as MadePod)).toBe(true)
})

test('a pod that is debugged keeps its sidecar, and its copy gets what that is to trust', async () => {
  const made = await api.request('POST', podsOfShop, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'debugged' },
    spec: { containers: [{ name: 'app', image: 'app' }] },
  })
  expect(made.status).toBe(201)
  const debug = (...args: readonly string[]): Promise<string> =>
    server.kubectl(['debug', 'debugged', '-n', 'shop', '--image=shell', '--attach=false', ...args])
  await debug('--target=app')
  await debug('--copy-to=copied', '--container=shell')
  const read = async (name: string): Promise<MadePod> =>
    (await api.request('GET', `${podsOfShop}/${name}`)).body as MadePod
  expect((await read('debugged')).spec['ephemeralContainers']).toHaveLength(1)
  const copy = await read('copied')
  expect(copy.spec.initContainers?.map(({ name }) => name)).toEqual(['weft-init', 'weft-proxy'])
  expect(copy.metadata.annotations?.['weft.dev/trust-bundle']).toBe(await publishedBundle())
})

test('where a quota wants limits, those of the sidecar are those of its init container', async () => {
  await namespace('quota', {
    'weft.dev/inject': 'enabled',
    'config.weft.dev/proxy-cpu-limit': '1',
    'config.weft.dev/proxy-memory-limit': '128Mi',
  })
  const hard = { 'limits.cpu': '4', 'limits.memory': '1Gi' }
  await server.apply(
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'limits', namespace: 'quota' },
      spec: { hard },
    }),
  )
  const pod = manifestOf({ what: '', container: { resources: { limits: { cpu: '1', memory: '64Mi' } } } })
  const attempt = () => api.request('POST', '/api/v1/namespaces/quota/pods?dryRun=All', pod)
  // Until the controller has counted what there is.
  await expect
    .poll(async () => JSON.stringify((await attempt()).body), { timeout: 20_000 })
    .not.toContain('status unknown')
  const { status, body } = await attempt()
  expect([status, (body as { message?: string }).message]).toEqual([201, undefined])
  expect(hasSidecar(body as MadePod)).toBe(true)
})

const fixtures = path.join(root, 'test/fixtures')

describe('manifests as users bring them', () => {
  test.each([
    ['ensemble.yaml', 'app=keeper', 3],
    ['redis.yaml', 'app=redis', 2],
    ['batch.yaml', 'app=batch', 3],
  ] as const)('%s: all of its pods are made with a sidecar', async (file, label, count) => {
    const text = readFileSync(path.join(fixtures, file), 'utf8')
    await server.kubectl(['apply', '-n', 'shop', '-f', '-'], text)
    const names = async (selector: string): Promise<readonly string[]> => {
      const { stdout } = await kubectl(['get', 'pods', '-n', 'shop', '-l', selector, '-o', 'name'])
      return stdout.split('\n').filter((line) => line !== '')
    }
    await until(async () => (await names(label)).length === count)
    expect(await names(`${label},weft.dev/injected=true`)).toEqual(await names(label))
  })

  test.each(readdirSync(fixtures))('%s is accepted as weft inject makes it', async (file) => {
    const { text, reports } = injectManifests(readFileSync(path.join(fixtures, file), 'utf8'), testPlan)
    expect(reports.map(({ outcome }) => outcome)).not.toContain('refused')
    const { stderr, failed } = await kubectl(['apply', '-n', 'plain', '--dry-run=server', '-f', '-'], text)
    expect([failed, stderr]).toEqual([false, ''])
  })
})

describe('Pod Security', () => {
  const labels = (level: string) => ({ 'pod-security.kubernetes.io/enforce': level })
  const cni = readFileSync(path.join(golden, 'cni.yaml'), 'utf8')

  test('lets the sidecar with its init container into a privileged namespace', async () => {
    await namespace('privileged', { 'weft.dev/inject': 'enabled' }, labels('privileged'))
    const { stdout, failed } = await create(
      'privileged',
      readFileSync(path.join(golden, 'plain.yaml'), 'utf8'),
    )
    expect(failed).toBe(false)
    expect(stdout).toContain('weft-init')
  })

  test('lets it into a restricted one where a CNI plugin redirects, and only there', async () => {
    await namespace('restricted', { 'weft.dev/inject': 'enabled' }, labels('restricted'))
    const accepted = await create('restricted', cni)
    expect(accepted.stderr).toBe('')
    expect(accepted.stdout).toContain('weft-proxy')
    const refused = await create('restricted', cni.replace('interception: cni', 'interception: init'))
    expect(refused.stderr).toContain('violates PodSecurity')
    expect(refused.stderr).not.toContain('weft-proxy')
  })
})

testOwnServer(
  'the injector did all of this with the rights that it is installed with, and every one of them was needed',
  () => {
    expect(compareRights(server.audit(), injectorRights(), 'weft-injector')).toEqual({
      lacking: [],
      unused: [],
      foreign: [],
    })
  },
)

describe('manifests', () => {
  // What was pointed at this process is of no use to them.
  beforeAll(async () => {
    await server.kubectl(['delete', 'mutatingwebhookconfiguration', 'weft-injector'])
  })

  test.each([false, true])('of weft install are accepted as they are (ha: %s)', async (ha) => {
    const { stderr, failed } = await kubectl(
      ['apply', '--dry-run=server', '-f', '-'],
      installText({ ...install, ha }),
    )
    expect(stderr).toBe('')
    expect(failed).toBe(false)
  })

  test('of deploy/ are accepted as they are', async () => {
    const { stderr, failed } = await kubectl(['apply', '--dry-run=server', '-k', path.join(root, 'deploy')])
    expect(stderr).toBe('')
    expect(failed).toBe(false)
  })

  test('of weft inject are accepted as they are', async () => {
    const text = readFileSync(path.join(golden, 'probes.yaml'), 'utf8')
    const { stderr } = await create('plain', injectManifests(text, testPlan).text)
    expect(stderr).toBe('')
  })

  test('applied again keep the certificate that the injector has put there, and the trust bundle', async () => {
    const text = installText({ ...install, ha: false })
    await server.apply(text)
    const other = await run('127.0.0.1:0')
    const read = ['get', 'mutatingwebhookconfiguration', 'weft-injector', '-o', 'jsonpath={..caBundle}']
    const { stdout: known } = await kubectl(read)
    expect(Buffer.from(known, 'base64').toString()).toContain('BEGIN CERTIFICATE')
    await server.apply(text)
    expect((await kubectl(read)).stdout).toBe(known)
    expect(await publishedBundle()).toContain('BEGIN CERTIFICATE')
    await other.shutdown.run(5_000)
  })

  test('of weft uninstall take all of it away', async () => {
    await server.kubectl(['delete', '--wait=false', '-f', '-'], uninstallText({ withCrds: true }))
    const kinds = 'mutatingwebhookconfigurations,clusterroles,clusterrolebindings'
    const { stdout } = await kubectl(['get', kinds, '-l', 'app.kubernetes.io/part-of=weft', '-o', 'name'])
    expect(stdout).toBe('')
    await until(async () => (await kubectl(['get', 'namespace', 'weft'])).failed)
  })
})

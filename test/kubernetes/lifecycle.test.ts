/** Installing, upgrading and removing weft, as its commands say it is done, with its processes at work in between. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { convertedCrds } from '../../api/smi.ts'
import { accountKubeconfig } from '../support/account-kubeconfig.ts'
import { TestRoot } from '../../proxy/identity/test-pki.ts'
import { ApiServer, apiServerBinary, buildApiServer } from '../support/api-server.ts'
import { ClusterControlPlane } from '../support/cluster-control-plane.ts'
import { ConvertingInjector } from '../support/converting-injector.ts'
import { foreignKubeconfig } from '../support/foreign-cluster.ts'
import { testOwnServer } from './own-server.ts'

const main = path.join(import.meta.dirname, '../../cli/main.ts')
const folder = mkdtempSync(path.join(tmpdir(), 'weft-lifecycle-'))

const programs = ['etcd', 'kube-apiserver'] as const
const assets = process.env['KUBEBUILDER_ASSETS'] ?? ''
/** There, nothing is started. */
const isForeign = foreignKubeconfig !== ''

let server: ApiServer
let before: readonly string[]
let plane: ClusterControlPlane | undefined
let injector: ConvertingInjector | undefined

/** What `./weft` prints. */
async function weft(...args: readonly string[]): Promise<string> {
  const env = { ...process.env, KUBECONFIG: server.kubeconfig }
  return (await promisify(execFile)(process.execPath, [main, ...args], { env })).stdout
}

const apply = async (...args: readonly string[]): Promise<string> =>
  server.kubectl(['apply', '-f', '-'], await weft(...args))
const remove = async (...args: readonly string[]): Promise<string> =>
  server.kubectl(['delete', '--ignore-not-found', '-f', '-'], await weft(...args))

/** Every object of every kind that can be listed; Events expire by themselves. */
async function inventory(): Promise<readonly string[]> {
  const kinds = (await server.kubectl(['api-resources', '--verbs=list', '-o', 'name']))
    .split('\n')
    .filter((kind) => kind !== '' && !kind.startsWith('events') && kind !== 'componentstatuses')
  const columns =
    'jsonpath={range .items[*]}{.apiVersion} {.kind} {.metadata.namespace}/{.metadata.name}{"\\n"}{end}'
  const text = await server.kubectl(['get', kinds.join(), '-A', '-o', columns])
  return text
    .split('\n')
    .filter((line) => line !== '')
    .toSorted()
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 60_000
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error('it did not come to hold')
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

const field = async (object: string, column: string): Promise<string> =>
  server.kubectl(['get', object, '-n', 'weft', '--ignore-not-found', '-o', `jsonpath={${column}}`])

/** As envtest has them, which brings no kube-controller-manager: ours is each of them where it is called so. */
async function linkedPrograms(): Promise<string> {
  await buildApiServer()
  for (const name of programs) symlinkSync(apiServerBinary, path.join(folder, name))
  return folder
}

beforeAll(async () => {
  server = await ApiServer.start(assets === '' && !isForeign ? await linkedPrograms() : assets)
  await server.kubectl(['create', 'namespace', 'shop'])
  // Made by the controllers for each namespace, some time after it.
  await until(async () => (await inventory()).some((line) => line.endsWith(' shop/kube-root-ca.crt')))
  await until(async () => (await inventory()).some((line) => line.endsWith(' shop/default')))
  before = await inventory()
})

afterAll(async () => {
  await plane?.stop()
  await injector?.stop()
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** The programs that a process has started, whichever of its threads did. */
function childrenOf(pid: number): readonly string[] {
  const folder = `/proc/${pid}/task`
  return readdirSync(folder)
    .flatMap((thread) => readFileSync(path.join(folder, thread, 'children'), 'utf8').split(' '))
    .filter((child) => child !== '')
    .map((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').split('\0', 1)[0] as string)
    .toSorted()
}

testOwnServer('etcd and kube-apiserver are the programs of KUBEBUILDER_ASSETS', () => {
  expect(childrenOf(server.pid)).toEqual(
    programs.map((name) => path.join(assets === '' ? folder : assets, name)),
  )
})

test('before it is installed, the API server accepts all of it as soon as there is its namespace', async () => {
  await server.kubectl(['create', 'namespace', 'weft'])
  for (const flags of [[], ['--ha', '--interception', 'cni', '--image-pull-policy', 'Always']])
    await server.kubectl(['apply', '--dry-run=server', '-f', '-'], await weft('install', ...flags))
  await server.kubectl(['apply', '--dry-run=server', '-k', path.join(import.meta.dirname, '../../deploy')])
})

test('installed, it works with its own rights alone', async () => {
  await apply('install', '--ha', '--image', 'registry.example/weft:0.1.0', '--trust-domain', 'cluster.local')
  await server.kubectl(['wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all'])
  plane = await ClusterControlPlane.start(await accountKubeconfig(server, 'weft-control-plane', folder))
  await plane.untilReady()
  injector = await ConvertingInjector.start(server, await accountKubeconfig(server, 'weft-injector', folder))
  await server.apply(`
apiVersion: split.smi-spec.io/v1alpha1
kind: TrafficSplit
metadata: {name: catalog, namespace: shop}
spec: {service: catalog, backends: [{service: v1, weight: 500m}, {service: v2, weight: '1'}]}
---
apiVersion: weft.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: catalog, namespace: shop}
spec: {targetRefs: [{kind: Service, name: catalog}], timeouts: {request: 1s}}
`)
  await expect
    .poll(() => server.kubectl(['get', 'ts', '-n', 'shop', 'catalog', '-o', 'yaml']), { timeout: 10_000 })
    .toContain('ApexUnknown')
  expect(await field('lease/weft-control-plane', '.spec.holderIdentity')).not.toBe('')
  await injector.askService(server)
})

/** Where the API server keeps what it trusts the injector by. */
const trusted = [
  ['mutatingwebhookconfiguration/weft-injector', '.webhooks[0].clientConfig.caBundle'],
  ...convertedCrds.map((crd) => [`crd/${crd}`, '.spec.conversion.webhook.clientConfig.caBundle'] as const),
] as const

test('an upgrade keeps the settings that are not given, the root, the certificates and what users have written', async () => {
  const root = await field('secret/weft-root', '.data')
  const bundles = await Promise.all(trusted.map(([object, column]) => field(object, column)))
  expect([root, ...bundles]).not.toContain('')
  await apply('upgrade', '--no-ha', '--image-pull-policy', 'Always')
  expect(await field('deployment/weft-injector', '.spec.replicas')).toBe('1')
  const column = '.spec.template.spec.containers[0].image'
  expect(await field('deployment/weft-control-plane', column)).toBe('registry.example/weft:0.1.0')
  expect(await field('secret/weft-root', '.data')).toBe(root)
  expect(await Promise.all(trusted.map(([object, column]) => field(object, column)))).toEqual(bundles)
  expect(await server.kubectl(['get', 'ts,tp', '-n', 'shop', '-o', 'name'])).toContain('trafficsplit')
  // The next one begins from what this one has changed.
  const next = await weft('upgrade')
  expect(next).toContain('--image-pull-policy=Always')
  expect(next).not.toContain('PodDisruptionBudget')
})

test('what an upgrade leaves over is named, and nothing else', async () => {
  expect(await field('pdb', '.items[*].metadata.name')).toBe('weft-control-plane weft-injector')
  const removed = await remove('upgrade', '--obsolete')
  expect(removed.match(/"([^"]+)" (force )?deleted/g)).toHaveLength(2)
  expect(await field('pdb', '.items[*].metadata.name')).toBe('')
  expect(await remove('upgrade', '--obsolete')).toMatch(/^(No resources found\n)?$/)
})

test('removed without its CRDs, it leaves what users have written, in every version once the CRDs are told so', async () => {
  await plane?.stop()
  await injector?.stop()
  const text = await weft('uninstall')
  await server.kubectl(['delete', '--ignore-not-found', '-f', '-'], text)
  const commands = [...text.matchAll(/^# (kubectl patch crd .*)$/gm)].map(([, command]) => command as string)
  expect(commands).toHaveLength(4)
  for (const command of commands)
    await promisify(execFile)('sh', ['-c', command], {
      env: { ...process.env, KUBECONFIG: server.kubeconfig },
    })
  const read = [
    'get',
    'trafficsplits.v1alpha2.split.smi-spec.io',
    'catalog',
    '-n',
    'shop',
    '-o',
    'jsonpath={..weight}',
  ]
  await expect.poll(() => server.kubectl(read).catch(String), { timeout: 30_000 }).toBe('1 2')
})

const planeUser = 'system:serviceaccount:weft:weft-control-plane'

/** `yes` or `no`. */
async function mayPlane(verb: string, object: string): Promise<string> {
  const asked = server.kubectl(['auth', 'can-i', verb, object, '-n', 'weft', `--as=${planeUser}`])
  return (await asked.catch((error: { readonly stdout?: string }) => error.stdout ?? '')).trim()
}

async function putIssuer(issuer: TestRoot, root: TestRoot): Promise<void> {
  const { keyPem, certificatePem } = await issuer.issuerPem()
  const stringData = { 'tls.key': keyPem, 'tls.crt': certificatePem, 'ca.crt': root.pem }
  const metadata = { name: 'our-issuer', namespace: 'weft' }
  const secret = { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata, stringData }
  await server.apply(JSON.stringify(secret))
}

test("installed for an issuer of the user's, it waits for that Secret, may read it and no other, and follows it", async () => {
  await apply('install', '--issuer-secret', 'our-issuer')
  const account = await accountKubeconfig(server, 'weft-control-plane', folder)
  plane = await ClusterControlPlane.start(account, undefined, ['--issuer-secret=weft/our-issuer'])
  await expect.poll(() => plane?.log, { timeout: 10_000 }).toContain('our-issuer is not there yet')
  const root = await TestRoot.make('ours')
  const issuer = await root.below()
  await putIssuer(issuer, root)
  await plane.untilReady()
  const bundle = () => field('configmap/weft-trust-bundle', '.data.root-cert\\.pem')
  await expect.poll(bundle, { timeout: 10_000 }).toBe(root.pem)
  const asked = [
    ['get', 'secret/our-issuer'],
    ['update', 'secret/our-issuer'],
    ['get', 'secret/weft-root'],
    ['list', 'secrets'],
  ] as const
  expect(await Promise.all(asked.map(([verb, object]) => mayPlane(verb, object)))).toEqual([
    'yes',
    'no',
    'no',
    'no',
  ])
  const next = await root.below()
  await putIssuer(next, root)
  await expect.poll(() => plane?.log, { timeout: 10_000 }).toContain('the trust of the mesh has changed')
  await plane.stop()
})

test('removed with its CRDs, it leaves nothing behind', async () => {
  await remove('uninstall', '--crds')
  await expect.poll(inventory, { timeout: 60_000, interval: 1_000 }).toEqual(before)
})

test('where it is not installed, an upgrade says so', async () => {
  await expect(weft('upgrade')).rejects.toThrow(/CONFIG_INVALID.*not installed/)
})

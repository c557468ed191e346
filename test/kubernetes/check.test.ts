/** `weft check` in a real cluster, in which one thing after another is broken. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { checkCluster } from '../../cli/check/run-checks.ts'
import { freePorts } from '../../cli/demo/ports.ts'
import { systemClock } from '../../core/clock.ts'
import { KubernetesClient } from '../../core/kubernetes/api-client.ts'
import { readKubeconfig } from '../../core/kubernetes/kubeconfig.ts'
import { createLog } from '../../core/log.ts'
import { type RunningInjector, startInjector } from '../../injector/injector.ts'
import { readInjectorSettings } from '../../injector/settings.ts'
import { accountKubeconfig } from '../support/account-kubeconfig.ts'
import { ApiServer } from '../support/api-server.ts'
import type { ClusterControlPlane } from '../support/cluster-control-plane.ts'
import { installWeft, planeAddress, setInstalledPod, startInstalledPlane } from '../support/installed-weft.ts'
import { removeFolder } from '../support/running-control-plane.ts'
import { testOwnServer } from './own-server.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'weft-check-'))
const log = createLog({ process: 'test', level: 'silent' })
const patience = { timeout: 30_000, interval: 200 }
const webhook = 'mutatingwebhookconfiguration/weft-injector'
let server: ApiServer
let api: KubernetesClient
let plane: ClusterControlPlane
let injector: RunningInjector
let planeAccount: string

function runInjector(kubeconfig: string, address: string): Promise<RunningInjector> {
  const args = [
    `--kubeconfig=${kubeconfig}`,
    `--webhook-address=${address}`,
    '--admin-address=127.0.0.1:0',
    '--dns-names=localhost',
    '--drain-delay=0',
  ]
  return startInjector(readInjectorSettings({ args, env: {} }), log, {})
}

/** This process is no Service: the webhook is reached by an address. */
async function startWebhook(): Promise<void> {
  const account = await accountKubeconfig(server, 'weft-injector', folder)
  const bundle = ['get', 'configmap', '-n', 'weft', 'weft-trust-bundle', '-o', 'yaml']
  await vi.waitFor(async () => expect(await server.kubectl(bundle)).toContain('root-cert.pem'), patience)
  const [port = 0] = await freePorts(1)
  const clientConfig = { url: `https://localhost:${port}/inject` }
  const patch = [{ op: 'replace', path: '/webhooks/0/clientConfig', value: clientConfig }]
  await server.kubectl(['patch', webhook, '--type=json', '-p', JSON.stringify(patch)])
  injector = await runInjector(account, `127.0.0.1:${port}`)
}

beforeAll(async () => {
  server = await ApiServer.start()
  api = new KubernetesClient(readKubeconfig([server.kubeconfig]), systemClock)
  planeAccount = await installWeft(server, folder)
  plane = await startInstalledPlane(planeAccount)
  await startWebhook()
  // The control plane's pod is at the address where this machine's control plane listens.
  await vi.waitFor(() => setInstalledPod(server, 'weft-control-plane', planeAddress, 'True'), patience)
  await vi.waitFor(() => setInstalledPod(server, 'weft-injector', '10.244.0.9', 'True'), patience)
}, 300_000)

afterAll(async () => {
  api?.close()
  await injector?.shutdown.run(5_000)
  await plane?.stop()
  await server?.stop()
  removeFolder(folder)
})

async function failing(proxy = false): Promise<readonly string[]> {
  const checks = await checkCluster(api, { pre: false, proxy }, server.kubeconfig)
  return checks.filter(({ outcome }) => outcome === 'fails').map(({ id }) => id)
}

/** Deletes an object, sees what is said, and puts it back. */
async function without(object: string, id: string): Promise<void> {
  const { metadata, ...rest } = JSON.parse(await server.kubectl(['get', object, '-o', 'json'])) as {
    readonly metadata: { readonly name: string; readonly labels: object; readonly annotations?: object }
  }
  await server.kubectl(['delete', object])
  await expect.poll(() => failing(), patience).toContain(id)
  const { name, labels, annotations = {} } = metadata
  await server.apply(JSON.stringify({ ...rest, metadata: { name, labels, annotations } }))
}

test('a cluster in which all is well: nothing fails', async () => {
  await expect.poll(() => failing(true), patience).toEqual([])
  const ids = (await checkCluster(api, { pre: false, proxy: true }, server.kubeconfig)).map(({ id }) => id)
  for (const id of [
    'EVERYTHING_INSTALLED',
    'WEBHOOK_ANSWERS',
    'CONTROL_PLANE_READY',
    'ROOT_VALID',
    'PODS_MESHED',
  ])
    expect(ids).toContain(id)
})

test('a CRD that is missing', () => without('crd/trafficpolicies.weft.dev', 'CRD_MISSING'))

test("the control plane's rights that are missing", () =>
  without('clusterrolebinding/weft-control-plane', 'CLUSTER_ROLE_BINDING_MISSING'))

test('a webhook that is not registered', () => without(webhook, 'MUTATING_WEBHOOK_CONFIGURATION_MISSING'))

test('a webhook that the API server cannot trust', async () => {
  const path_ = '/webhooks/0/clientConfig/caBundle'
  const { webhooks } = JSON.parse(await server.kubectl(['get', webhook, '-o', 'json'])) as {
    readonly webhooks: readonly [{ readonly clientConfig: { readonly caBundle: string } }]
  }
  const set = (op: string, value: object): Promise<string> =>
    server.kubectl(['patch', webhook, '--type=json', '-p', JSON.stringify([{ op, path: path_, ...value }])])
  await set('remove', {})
  await expect.poll(() => failing(), patience).toContain('WEBHOOK_CERTIFICATE_MISSING')
  await set('add', { value: webhooks[0].clientConfig.caBundle })
  await expect.poll(() => failing(), patience).toEqual([])
})

test('a control plane whose pods are not ready', async () => {
  await setInstalledPod(server, 'weft-control-plane', planeAddress, 'False')
  await expect.poll(() => failing(), patience).toEqual(['REPLICAS_NOT_READY'])
  await setInstalledPod(server, 'weft-control-plane', planeAddress, 'True')
})

test('a trust bundle that is empty', async () => {
  const read = await server.kubectl(['get', 'configmap', '-n', 'weft', 'weft-trust-bundle', '-o', 'json'])
  const { data } = JSON.parse(read) as { readonly data: object }
  const patch = (value: object | null): Promise<string> =>
    server.kubectl([
      'patch',
      'configmap',
      '-n',
      'weft',
      'weft-trust-bundle',
      '--type=merge',
      '-p',
      JSON.stringify({ data: value }),
    ])
  await patch(null)
  expect(await failing()).toContain('TRUST_BUNDLE_MISSING')
  await patch(data)
})

test('rights that are not enough to install', async () => {
  const limited = new KubernetesClient(readKubeconfig([planeAccount]), systemClock)
  const checks = await checkCluster(limited, { pre: true, proxy: false }, planeAccount)
  limited.close()
  const refused = checks.filter(({ id }) => id === 'MAY_NOT_CREATE').map(({ message }) => message)
  expect(refused).toContain('may not create clusterroles.rbac.authorization.k8s.io')
})

test('a control plane that does not answer', async () => {
  await plane.stop()
  await expect.poll(() => failing(), patience).toContain('CONTROL_PLANE_UNREACHABLE')
  plane = await startInstalledPlane(planeAccount)
})

test('a webhook that is not there to answer', async () => {
  await injector.shutdown.run(5_000)
  await expect.poll(() => failing(), patience).toContain('WEBHOOK_UNREACHABLE')
})

test('a pod that was made meanwhile, without the sidecar that it should have', async () => {
  const metadata = { name: 'late', annotations: { 'weft.dev/inject': 'enabled' } }
  await server.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata }))
  const account = ['get', 'serviceaccount', 'default', '-n', 'late']
  await expect.poll(() => server.kubectl(account).catch(() => ''), patience).toContain('default')
  // The webhook's failurePolicy is Ignore.
  await server.apply(
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'old', namespace: 'late' },
      spec: { containers: [{ name: 'app', image: 'app' }] },
    }),
  )
  expect(await failing()).toContain('SIDECARS_MISSING')
  expect(await failing(true)).toContain('SIDECAR_MISSING')
  await server.kubectl(['delete', 'namespace', 'late', '--wait=false'])
})

// The last one: the API server stays away.
testOwnServer('an API server that does not answer', async () => {
  await server.kill()
  expect(await failing()).toEqual(['KUBERNETES_UNREACHABLE'])
})

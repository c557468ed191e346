/** `weft check` on a real mesh without a cluster, in which one thing after another is broken. */
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { checkMesh } from '../../cli/check/run-checks.ts'
import { freePorts } from '../../cli/demo/ports.ts'
import { type BrokenMesh, pod, route, service, slice, startBrokenMesh } from '../support/broken-mesh.ts'
import { HttpClient } from '../support/http-client.ts'
import { startRefusingSidecar } from '../support/refusing-sidecar.ts'
import { weft } from '../support/weft-command.ts'

const timeout = 10_000

let mesh: BrokenMesh
let closedPort: number

beforeAll(async () => {
  mesh = await startBrokenMesh()
  closedPort = (await freePorts(1))[0] as number
})
afterAll(() => mesh?.stop())
beforeEach(async () => {
  mesh.heal()
  await expect.poll(troubles, { timeout }).toEqual([])
})

async function troubles(): Promise<readonly string[]> {
  return (await checkMesh(mesh.admin)).filter(({ outcome }) => outcome !== 'ok').map(({ id }) => id)
}

async function messageOf(id: string): Promise<string | undefined> {
  return (await checkMesh(mesh.admin)).find((check) => check.id === id)?.message
}

test('a mesh that is whole passes every check', async () => {
  const checks = await checkMesh(mesh.admin)
  expect(checks.map(({ id, outcome }) => `${id} ${outcome}`)).toEqual([
    'CONTROL_PLANE_REACHABLE ok',
    'CONTROL_PLANE_READY ok',
    'CLOCKS_AGREE ok',
    'ROOT_VALID ok',
    'CONFIGURATION_FOLLOWED ok',
    'VERSIONS_EQUAL ok',
    'SIDECARS_CONNECTED ok',
  ])
})

test('a file that is refused', async () => {
  mesh.plane.write('planted.yaml', 'kind: Service\n  metadata: [')
  await expect.poll(troubles, { timeout }).toEqual(['FILE_REFUSED'])
  expect(await messageOf('FILE_REFUSED')).toMatch(/^planted\.yaml is refused, .*: planted\.yaml:1:7 /)
})

test('an object that two files give', async () => {
  mesh.plant(service('app', { ports: [{ name: 'http', port: 9 }] }))
  await expect.poll(troubles, { timeout }).toEqual(['OBJECT_TWICE'])
  expect(await messageOf('OBJECT_TWICE')).toBe(
    'Service shop/app: it is in planted.yaml and in mesh.yaml, which counts',
  )
})

test('rules that send nowhere, but not one that redirects', async () => {
  const redirect = { type: 'RequestRedirect', requestRedirect: { hostname: 'elsewhere' } }
  mesh.plant(route([{ name: 'empty' }, { filters: [redirect] }]))
  await expect.poll(troubles, { timeout }).toEqual(['RULE_WITHOUT_BACKEND'])
  expect(await messageOf('RULE_WITHOUT_BACKEND')).toBe('HTTPRoute shop/app: rule empty has no backend: 500')
  mesh.plant(route([{ backendRefs: [{ name: 'app', port: 8080, weight: 0 }] }]))
  await expect.poll(troubles, { timeout }).toEqual(['ALL_WEIGHTS_ZERO'])
})

test('a Service without endpoints, once somebody asks for it', async () => {
  mesh.plant(service('nobody'))
  const client = new HttpClient(mesh.web.port)
  onTestFinished(() => client.close())
  const status = async (): Promise<number> => (await client.send('http://nobody.shop:8080/')).status
  await expect.poll(status, { timeout }).toBe(503)
  await expect.poll(troubles, { timeout }).toEqual(['SERVICE_NOT_READY'])
  expect(await messageOf('SERVICE_NOT_READY')).toBe(
    'Service shop/nobody:8080 has no ready endpoint: 503 for web.shop',
  )
})

test('an application that does not listen behind its sidecar', async () => {
  const inbound = { 'config.weft.dev/inbound': `127.0.0.1:${mesh.inboundPort}=${closedPort}` }
  mesh.plane.write('app.yaml', JSON.stringify(pod('app', 'app', inbound)))
  await expect.poll(troubles, { timeout }).toEqual(['APPLICATION_NOT_LISTENING'])
  expect(await messageOf('APPLICATION_NOT_LISTENING')).toContain(`does not accept on 127.0.0.1:${closedPort}`)
})

test('a route whose backend does not exist', async () => {
  mesh.plant(route([{ backendRefs: [{ name: 'missing', port: 8080 }] }]))
  await expect.poll(troubles, { timeout }).toEqual(['BACKEND_UNKNOWN'])
})

test('a split for a Service that is not there', async () => {
  mesh.plant({
    apiVersion: 'split.smi-spec.io/v1alpha2',
    kind: 'TrafficSplit',
    metadata: { name: 'ghost', namespace: 'shop' },
    spec: { service: 'ghost', backends: [{ service: 'app', weight: 1 }] },
  })
  await expect.poll(troubles, { timeout }).toEqual(['APEX_UNKNOWN'])
})

test('a route to a Service of which no endpoint is ready', async () => {
  mesh.plant(
    service('tired'),
    slice('tired', closedPort, { ready: false }),
    route([
      {
        backendRefs: [
          { name: 'tired', port: 8080, weight: 1 },
          { name: 'app', port: 8080, weight: 3 },
        ],
      },
    ]),
  )
  await expect.poll(troubles, { timeout }).toEqual(['BACKEND_NOT_READY'])
  expect(await messageOf('BACKEND_NOT_READY')).toBe(
    'HTTPRoute shop/app, rule 0: shop/tired:8080 has no ready endpoint: 503 for 25 % of its requests',
  )
})

test('a split to a Service of which no endpoint is ready, and one without weights', async () => {
  const split = (weight: number): object => ({
    apiVersion: 'split.smi-spec.io/v1alpha2',
    kind: 'TrafficSplit',
    metadata: { name: 'app', namespace: 'shop' },
    spec: {
      service: 'app',
      backends: [
        { service: 'app', weight },
        { service: 'tired', weight },
      ],
    },
  })
  const tired = [service('tired'), slice('tired', closedPort, { ready: false })]
  mesh.plant(...tired, split(1))
  await expect.poll(troubles, { timeout }).toEqual(['BACKEND_NOT_READY'])
  mesh.plant(...tired, split(0))
  await expect.poll(troubles, { timeout }).toEqual(['ALL_WEIGHTS_ZERO'])
})

test('a route on a port whose connections nobody looks into', async () => {
  mesh.plant(
    service('db', { ports: [{ name: 'http', port: 3306 }] }),
    slice('db', mesh.inboundPort, { target: 'app' }),
    route([{ backendRefs: [{ name: 'app', port: 8080 }] }], 'db'),
  )
  await expect.poll(troubles, { timeout }).toEqual(['ROUTE_ON_OPAQUE_PORT'])
})

test('endpoints that do not have the port of their Service', async () => {
  mesh.plant(service('misnamed'), slice('misnamed', closedPort, { portName: 'web' }))
  await expect.poll(troubles, { timeout }).toEqual(['ENDPOINT_PORT_MISSING'])
})

test('a policy for nothing', async () => {
  mesh.plant({
    apiVersion: 'weft.dev/v1alpha1',
    kind: 'TrafficPolicy',
    metadata: { name: 'p', namespace: 'shop' },
    spec: { targetRefs: [{ kind: 'Service', name: 'ghost' }], timeouts: { request: '1s' } },
  })
  await expect.poll(troubles, { timeout }).toEqual(['POLICY_TARGET_UNKNOWN'])
})

test('policies about nobody, for clients that there are not, by which nobody may call, or against those who call now', async () => {
  const policy = (name: string, targetRefs: readonly object[], spec: object): object => ({
    apiVersion: 'weft.dev/v1alpha1',
    kind: 'AccessPolicy',
    metadata: { name, namespace: 'shop' },
    spec: { targetRefs, ...spec },
  })
  const app = [{ kind: 'ServiceAccount', name: 'app' }]
  const allow = (from: object): object => ({ rules: [{ action: 'allow', from: [from] }] })
  mesh.plant(policy('a', app, { mtls: { mode: 'strict' }, rules: [{ action: 'allow' }] }))
  const client = new HttpClient(mesh.inboundPort)
  onTestFinished(() => client.close())
  const inClear = async (): Promise<number> => (await client.send('http://app.shop:8080/')).status
  await expect.poll(inClear, { timeout }).toBe(403)
  await expect.poll(troubles, { timeout }).toEqual(['STRICT_REFUSES_CLEAR'])
  mesh.plant(
    policy('a', app, { default: 'deny', mtls: { mode: 'permissive' } }),
    policy('b', app, { mtls: { mode: 'strict', ports: [{ port: 1, mode: 'strict' }] } }),
    policy('c', [{ kind: 'Pod', matchLabels: { app: 'none' } }], allow({ serviceAccounts: ['wbe'] })),
  )
  await expect
    .poll(troubles, { timeout })
    .toEqual(
      expect.arrayContaining([
        'ACCESS_TARGET_UNKNOWN',
        'ACCESS_CLIENT_UNKNOWN',
        'ACCESS_NOBODY_ALLOWED',
        'ACCESS_CONTRADICTED',
      ]),
    )
  mesh.plant(policy('a', app, { default: 'deny', ...allow({ serviceAccounts: ['web'] }) }))
  await expect
    .poll(async () => (await checkMesh(mesh.admin)).map(({ id }) => id), { timeout })
    .toContain('POLICIES_MEAN_SOMEBODY')
})

test('a Service that is a name for itself', async () => {
  const loop = service('loop', { type: 'ExternalName', externalName: 'loop.shop.svc.cluster.local' })
  mesh.plant(loop)
  await expect.poll(troubles, { timeout }).toEqual(['EXTERNAL_NAME_LOOP'])
})

test('a pod whose sidecar does not run', async () => {
  mesh.plant(pod('idle', 'idle', { 'weft.dev/inject': 'enabled' }))
  await expect.poll(troubles, { timeout }).toEqual(['SIDECAR_NOT_CONNECTED'])
})

test('a sidecar that is somebody else than its pod says', async () => {
  mesh.writeApp('other')
  await expect.poll(troubles, { timeout }).toContain('SIDECAR_IDENTITY')
})

test('a sidecar that cannot listen where its pod says', async () => {
  const { port: taken } = mesh.application
  mesh.plane.write(
    'app.yaml',
    JSON.stringify(pod('app', 'app', { 'config.weft.dev/inbound': `127.0.0.1:${taken}=${closedPort}` })),
  )
  await expect.poll(troubles, { timeout }).toContain('SIDECAR_NOT_READY')
})

test('a sidecar that refuses what it is sent', async () => {
  mesh.plant(pod('picky', 'picky', { 'weft.dev/inject': 'enabled' }))
  const stop = startRefusingSidecar(mesh.plane, 'picky', 'listeners[0]: not for me')
  await expect.poll(troubles, { timeout }).toContain('CONFIG_REFUSED')
  expect(await messageOf('CONFIG_REFUSED')).toBe(
    'the sidecar of shop/picky refuses a listener: listeners[0]: not for me',
  )
  stop()
})

test('a client of another version', async () => {
  const checks = await checkMesh(mesh.admin, '0.0.9')
  expect(checks.filter(({ outcome }) => outcome !== 'ok').map(({ id }) => id)).toEqual([
    'CONTROL_PLANE_VERSION',
  ])
})

test('a control plane that is away: exit status 1, and what to do', async () => {
  const run = await weft(['check', '--control-plane', `127.0.0.1:${closedPort}`, '-o', 'short'])
  expect(run.status).toBe(1)
  expect(run.stdout).toContain('CONTROL_PLANE_UNREACHABLE: see whether it runs')
})

test('the command: exit status 0 and every line, without colour where there is no terminal', async () => {
  const run = await weft(['check', '--control-plane', mesh.admin])
  expect([run.status, run.stdout.includes('\u001b')]).toEqual([0, false])
  expect(run.stdout).toContain('√ the root certificate is valid until')
  expect(run.stdout).toContain('All checks pass.')
})

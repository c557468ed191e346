/** `weft diagnose` on a real mesh in which one thing after another is broken. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { diagnose, type FullDiagnosis } from '../../cli/diagnose/diagnose.ts'
import { freePorts } from '../../cli/demo/ports.ts'
import { directAccess } from '../../cli/reach/direct-access.ts'
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
  await expect.poll(() => endOf('app:8080'), { timeout }).toBeUndefined()
})

function ask(to: string, from = 'web', nowMs = Date.now()): Promise<FullDiagnosis> {
  const access = directAccess(mesh.admin)
  return diagnose(access, { from, to, namespace: 'shop', method: 'GET', headers: [] }, nowMs)
}

async function endOf(to: string, from = 'web'): Promise<string | undefined> {
  return (await ask(to, from)).end?.id
}

async function idsOf(to: string): Promise<readonly string[]> {
  return (await ask(to)).steps.map(({ id }) => id)
}

function trafficPolicy(sections: object): object {
  return {
    apiVersion: 'weft.dev/v1alpha1',
    kind: 'TrafficPolicy',
    metadata: { name: 'app', namespace: 'shop' },
    spec: { targetRefs: [{ kind: 'Service', name: 'app' }], ...sections },
  }
}

const backend = (name: string, weight = 1): object => ({ name, port: 8080, weight })

test('a mesh that is whole: every step of the way is good, down to the application', async () => {
  await expect.poll(() => endOf('app:8080'), { timeout }).toBeUndefined()
  await expect
    .poll(() => idsOf('app:8080'), { timeout })
    .toEqual([
      'SOURCE_CONNECTED',
      'NAME_KNOWN',
      'RULE_MATCHES',
      'BACKENDS_KNOWN',
      'ENDPOINTS_READY',
      'PEERS_CONNECTED',
      'CONFIG_IN_FORCE',
      'ENDPOINTS_ACCEPT',
      'APPLICATION_LISTENS',
    ])
})

test('a name that is no Service; the one that was meant is named', async () => {
  const { end } = await ask('apq:8080')
  expect([end?.id, end?.hint]).toEqual(['SERVICE_UNKNOWN', 'did you mean app.shop?'])
})

test('a name of the internet that has the form of a Service', async () => {
  expect(await idsOf('example.com:443')).toContain('OUTSIDE_THE_MESH')
  expect(await endOf('example.com:443')).toBeUndefined()
  expect(await endOf('example.staging:443')).toBe('SERVICE_UNKNOWN')
})

test('a request that cannot be one is refused before anybody is asked', async () => {
  const command = ['diagnose', 'shop/web', 'app:8080', '--control-plane', mesh.admin]
  const odd = [
    ['-X', 'GE T'],
    ['-H', 'nonsense'],
    ['-H', 'x y: 1'],
  ]
  for (const flags of odd) {
    const run = await weft([...command, ...flags])
    expect([run.status, run.stdout]).toEqual([2, ''])
  }
  await expect(ask('http://[::1')).rejects.toThrow("'http://[::1' is not like HOST:PORT/PATH")
})

test('a port that the Service does not have', async () => {
  const { end } = await ask('app:81')
  expect([end?.id, end?.message]).toEqual([
    'PORT_NOT_IN_SERVICE',
    'Service shop/app has no port 81; it has 8080 (http)',
  ])
})

test('routes of which none matches', async () => {
  mesh.plant(
    route([{ matches: [{ path: { type: 'PathPrefix', value: '/v2' } }], backendRefs: [backend('app')] }]),
  )
  await expect.poll(() => endOf('app:8080/v1/items'), { timeout }).toBe('NO_ROUTE_MATCHES')
  expect((await ask('app:8080/v1/items')).end?.message).toContain('the path is not below /v2')
  await expect.poll(() => endOf('app:8080/v2/items'), { timeout }).toBeUndefined()
})

test('a route on an opaque port, which redirected connections do not meet', async () => {
  mesh.plant(
    service('db', { ports: [{ name: 'http', port: 3306 }] }),
    slice('db', mesh.inboundPort, { target: 'app' }),
    route([{ backendRefs: [backend('app')] }], 'db'),
  )
  await expect.poll(() => idsOf('db:3306'), { timeout }).toContain('OPAQUE_PORT')
  await expect.poll(() => endOf('db:3306'), { timeout }).toBeUndefined()
})

test('a policy that denies it, by its rule', async () => {
  const spec = {
    targetRefs: [{ kind: 'Service', name: 'app' }],
    rules: [{ name: 'no-admin', action: 'deny', to: [{ paths: ['/admin/*'] }] }],
  }
  const metadata = { name: 'p', namespace: 'shop' }
  mesh.plant({ apiVersion: 'weft.dev/v1alpha1', kind: 'AccessPolicy', metadata, spec })
  await expect.poll(() => endOf('app:8080/admin/x'), { timeout }).toBe('ACCESS_DENIED')
  expect((await ask('app:8080/admin/x')).end?.message).toContain('accesspolicy/shop/p/no-admin')
  expect(await endOf('app:8080/')).toBeUndefined()
})

test('a backend that does not exist', async () => {
  mesh.plant(route([{ backendRefs: [backend('missing')] }]))
  await expect.poll(() => endOf('app:8080'), { timeout }).toBe('BACKEND_UNKNOWN')
})

test('weights that are all zero', async () => {
  mesh.plant(route([{ backendRefs: [backend('app', 0)] }]))
  await expect.poll(() => endOf('app:8080'), { timeout }).toBe('WEIGHTS_ZERO')
})

test('a Service of which no endpoint is ready', async () => {
  mesh.plant(service('tired'), slice('tired', closedPort, { ready: false }))
  await expect.poll(() => endOf('tired:8080'), { timeout }).toBe('NO_READY_ENDPOINT')
})

test('endpoints that do not have the port of their Service', async () => {
  mesh.plant(service('misnamed'), slice('misnamed', closedPort, { portName: 'web' }))
  await expect.poll(() => endOf('misnamed:8080'), { timeout }).toBe('ENDPOINT_PORT_MISSING')
})

test('a policy that fails every request', async () => {
  mesh.plant(trafficPolicy({ fault: { abort: { status: 503, percent: 100 } } }))
  await expect.poll(() => endOf('app:8080'), { timeout }).toBe('FAULT_INJECTED')
})

test('endpoints that have failed so often that none is sent to', async () => {
  const outlierDetection = { consecutiveFailures: 2, maxEjectionPercent: 100, panicPercent: 0 }
  mesh.plant(trafficPolicy({ outlierDetection }))
  const client = new HttpClient(mesh.web.port)
  const fail = async () => {
    await client.send('http://app.shop:8080/fail')
    return endOf('app:8080')
  }
  await expect.poll(fail, { timeout }).toBe('ENDPOINTS_EJECTED')
  expect((await ask('app:8080')).end?.message).toContain(`127.0.0.1:${mesh.inboundPort}`)
  client.close()
})

test('a circuit breaker that is open', async () => {
  mesh.plant(trafficPolicy({ connectionPool: { maxRequests: 1 } }))
  const client = new HttpClient(mesh.web.port)
  const fill = async () => {
    void client.send('http://app.shop:8080/hold')
    return (await client.send('http://app.shop:8080/')).status
  }
  await expect.poll(fill, { timeout }).toBe(503)
  expect((await ask('app:8080')).end).toMatchObject({
    id: 'CIRCUIT_OPEN',
    message: expect.stringContaining('1 of 1 requests under way'),
  })
  mesh.release()
  await expect.poll(() => idsOf('app:8080'), { timeout }).toContain('CIRCUIT_WAS_OPEN')
  expect(await endOf('app:8080')).toBeUndefined()
  client.close()
})

test('a host outside of the mesh whose name has no address', async () => {
  mesh.plant(service('mail', { type: 'ExternalName', externalName: 'mail.invalid' }))
  await expect.poll(() => endOf('mail:8080'), { timeout }).toBe('NAME_UNRESOLVED')
})

test('who calls and what is called may be said as users say it', async () => {
  const whole = async (from: string, to: string) => {
    const { from: pod, to: name, end } = await ask(to, from)
    return [pod, name, end?.id]
  }
  expect(await whole('shop/web', 'http://app/x')).toEqual(['shop/web', 'app.shop:80', 'PORT_NOT_IN_SERVICE'])
  expect(await whole('pod/web', 'https://app.shop/x')).toEqual([
    'shop/web',
    'app.shop:443',
    'PORT_NOT_IN_SERVICE',
  ])
  await expect(ask('app:8080', 'deploy/nobody')).rejects.toThrow('no sidecar of deploy/nobody')
})

test('a sidecar that is somebody else than its pod says', async () => {
  mesh.writeApp('other')
  await expect.poll(() => endOf('app:8080'), { timeout }).toBe('IDENTITY_MISMATCH')
  await expect.poll(() => idsOf('app:8080'), { timeout }).toContain('PEER_IDENTITY_MISMATCH')
})

test('an endpoint whose sidecar does not run', async () => {
  mesh.plant(
    service('down'),
    slice('down', closedPort, { target: 'down' }),
    pod('down', 'down', { 'config.weft.dev/inbound': `127.0.0.1:${closedPort}=80` }),
  )
  await expect.poll(() => endOf('down:8080'), { timeout }).toBe('ENDPOINT_NOT_CONNECTED')
})

test('an endpoint in clear that accepts nothing', async () => {
  mesh.plant(service('plain'), slice('plain', closedPort))
  await expect.poll(() => endOf('plain:8080'), { timeout }).toBe('UPSTREAM_CONNECT_FAILED')
})

test('a client whose sidecar is not connected', async () => {
  mesh.plant(pod('idle', 'idle', { 'weft.dev/inject': 'enabled' }))
  await expect.poll(() => endOf('app:8080', 'idle'), { timeout }).toBe('SOURCE_NOT_CONNECTED')
})

test('a client whose sidecar refuses what it is sent', async () => {
  mesh.plant(pod('picky', 'picky', { 'weft.dev/inject': 'enabled' }))
  const stop = startRefusingSidecar(mesh.plane, 'picky', 'listeners[0]: not for me')
  await expect.poll(() => endOf('app:8080', 'picky'), { timeout }).toBe('CONFIG_REFUSED')
  expect((await ask('app:8080', 'picky')).end?.message).toContain('listeners[0]: not for me')
  stop()
})

test('a client that is no pod', async () => {
  expect(await endOf('app:8080', 'nobody')).toBe('SOURCE_UNKNOWN')
})

test("a client's certificate that has ended", async () => {
  expect((await ask('app:8080', 'web', Date.now() + 25 * 3_600_000)).end?.id).toBe('CERTIFICATE_EXPIRED')
})

test('a split that cannot be followed is a warning: its apex answers', async () => {
  mesh.plant({
    apiVersion: 'split.smi-spec.io/v1alpha2',
    kind: 'TrafficSplit',
    metadata: { name: 'app', namespace: 'shop' },
    spec: { service: 'app', backends: [{ service: 'missing', weight: 1 }] },
  })
  await expect.poll(() => idsOf('app:8080'), { timeout }).toContain('SPLIT_NOT_FOLLOWED')
  expect(await endOf('app:8080')).toBeUndefined()
})

// The last one: the application stays away.
test('an application that does not listen behind its sidecar', async () => {
  const { port } = mesh.application
  await mesh.application.stop()
  await expect.poll(() => endOf('app:8080'), { timeout }).toBe('APPLICATION_NOT_LISTENING')
  const run = await weft(['diagnose', 'shop/web', 'app:8080', '--control-plane', mesh.admin])
  expect(run.status).toBe(1)
  expect(run.stdout).toContain(`does not accept on 127.0.0.1:${port}`)
  expect(run.stdout).toContain('It ends at the application: APPLICATION_NOT_LISTENING.')
})

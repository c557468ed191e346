/** A mesh in a real cluster: kubectl in front, an API server, a control plane with its own rights, a sidecar, applications. */
import { createPrivateKey, generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { tapAudience } from '../../api/token.ts'
import { fetchText, usedShare } from '../../cli/demo/sidecar-admin.ts'
import { MeshTrust } from '../../control-plane/ca/mesh-trust.ts'
import { TrustSecret } from '../../control-plane/ca/trust-secret.ts'
import { TokenReviewAuthenticator } from '../../control-plane/ca/token-review.ts'
import { clusterTapAccess } from '../../control-plane/live/tap-access.ts'
import { KubernetesClient } from '../../core/kubernetes/api-client.ts'
import { readKubeconfig } from '../../core/kubernetes/kubeconfig.ts'
import { systemClock } from '../../core/clock.ts'
import { createLog } from '../../core/log.ts'
import { controlPlaneRights } from '../../deploy/manifests/roles.ts'
import { compareRights } from '../support/api-rights.ts'
import { ApiServer } from '../support/api-server.ts'
import { ClusterControlPlane, controlPlaneAccount } from '../support/cluster-control-plane.ts'
import { type HttpApplication, startHttpApplication } from '../support/http-application.ts'
import { HttpClient } from '../support/http-client.ts'
import { removeFolder } from '../support/running-control-plane.ts'
import { TcpGate } from '../support/tcp-gate.ts'
import { type SidecarProcess, startEnrolledSidecar } from '../support/sidecar-process.ts'
import { testOwnServer } from './own-server.ts'

const crds = path.join(import.meta.dirname, '../../deploy/crds')
const log = createLog({ process: 'test', level: 'silent' })
const url = 'http://catalog.shop:8080/'
const destination = 'catalog.shop:8080'
/** How soon a sidecar has what happened while the API server was away. */
const caughtUpWithinMs = 5_000
/** Some hundred requests each second: what is restarted meanwhile needs the machine too. */
const loaders = 4
const loadEveryMs = 10
/** Longer than the longest pause between two attempts. */
const throttledMs = 3_000
/** CI has less time than an API server's bad minute. */
const outageMs = Number(process.env['WEFT_OUTAGE_S'] ?? 10) * 1_000

let folder: string
let server: ApiServer
let plane: ClusterControlPlane
let sidecar: SidecarProcess
let client: HttpClient
let kubeconfig: string
/** Between the control plane and the API server. */
let gate: TcpGate | undefined
const apps: Record<string, HttpApplication> = {}

/** A Service, and a pod behind it that is ready at `ip`: we are the kubelet. */
async function deploy(name: string, ip: string, port: number): Promise<void> {
  await server.apply(`
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {selector: {app: ${name}}, ports: [{name: http, port: 8080, targetPort: ${port}}]}
---
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: shop, labels: {app: ${name}}}
spec: {nodeName: node-1, containers: [{name: app, image: app, ports: [{containerPort: ${port}}]}]}
`)
  await setPod(name, ip, 'True')
}

async function setPod(name: string, ip: string, ready: 'True' | 'False'): Promise<void> {
  const status = {
    phase: 'Running',
    podIP: ip,
    podIPs: [{ ip }],
    conditions: [{ type: 'Ready', status: ready }],
  }
  const patch = JSON.stringify({ status })
  await server.kubectl(['patch', 'pod', name, '-n', 'shop', '--subresource=status', '-p', patch])
}

function split(v1: number, v2: number): string {
  return `
apiVersion: split.smi-spec.io/v1alpha4
kind: TrafficSplit
metadata: {name: catalog, namespace: shop}
spec: {service: catalog, backends: [{service: catalog-v1, weight: ${v1}}, {service: catalog-v2, weight: ${v2}}]}
`
}

async function untilShare(percent: number, withinMs: number): Promise<number> {
  const begunMs = performance.now()
  await expect
    .poll(() => usedShare(sidecar.adminPort, destination), { timeout: withinMs, interval: 20 })
    .toBe(percent)
  return performance.now() - begunMs
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'weft-cluster-'))
  server = await ApiServer.start()
  await server.apply(`
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Node
metadata: {name: node-1, labels: {topology.kubernetes.io/zone: zone-a}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: shop}
`)
  const ips = { catalog: '10.244.0.2', 'catalog-v1': '10.244.0.3', 'catalog-v2': '10.244.0.4' }
  for (const [name, ip] of Object.entries(ips)) {
    apps[name] = await startHttpApplication(name, undefined, ip)
    await deploy(name, ip, apps[name].port)
  }
  await server.apply(`
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {nodeName: node-1, serviceAccountName: web, containers: [{name: app, image: app}]}
`)
  if (server.own) gate = await TcpGate.start(server.port)
  kubeconfig = await controlPlaneAccount(server, folder, gate?.port)
  plane = await ClusterControlPlane.start(kubeconfig)
  await plane.untilReady()
  const secret = await server.kubectl(['get', 'secret', '-n', 'weft', 'weft-root', '-o', 'json'])
  const { data } = JSON.parse(secret) as { readonly data: Readonly<Record<string, string>> }
  const caFile = path.join(folder, 'roots.pem')
  writeFileSync(caFile, Buffer.from(data['tls.crt'] as string, 'base64'))
  const tokenFile = path.join(folder, 'token')
  writeFileSync(tokenFile, await tokenFor('weft'), { mode: 0o600 })
  sidecar = await startEnrolledSidecar({ grpcPort: plane.grpcPort, caFile, tokenFile })
  client = new HttpClient(sidecar.port)
})

afterAll(async () => {
  client?.close()
  await sidecar?.stop()
  await plane?.stop()
  gate?.stop()
  for (const app of Object.values(apps)) await app.stop()
  await server?.stop()
  removeFolder(folder)
})

afterEach(({ task }) => {
  if (task.result?.state === 'fail') process.stderr.write(`${plane.log.slice(-8_000)}\n`)
})

async function tokenFor(audience?: string): Promise<string> {
  const audiences = audience === undefined ? [] : ['--audience', audience]
  return (await server.kubectl(['create', 'token', 'web', '-n', 'shop', ...audiences])).trim()
}

test('a sidecar proves by its ServiceAccount token who it is, and reaches what Kubernetes made of a Service', async () => {
  await expect.poll(() => plane.log).toContain('"identity":"spiffe://cluster.local/ns/shop/sa/web"')
  const { status, body } = await client.send(url)
  expect([status, body]).toEqual([200, 'catalog'])
})

test('what the control plane is trusted by is there for the injector', async () => {
  await expect
    .poll(() => server.kubectl(['get', 'configmap', '-n', 'weft', 'weft-trust-bundle', '-o', 'yaml']), {
      timeout: 15_000,
    })
    .toContain('root-cert.pem: |')
})

test('a token for another audience proves nothing', async () => {
  const reviewer = new TokenReviewAuthenticator({
    client: new KubernetesClient(readKubeconfig([kubeconfig]), systemClock),
  })
  await expect(reviewer.authenticate(await tokenFor('weft'))).resolves.toEqual({
    namespace: 'shop',
    serviceAccount: 'web',
  })
  await expect(reviewer.authenticate(await tokenFor())).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
  await expect(reviewer.authenticate('a.b.c')).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
})

test('who is a ServiceAccount and nobody allowed it may not look at exchanges', async () => {
  const client = new KubernetesClient(readKubeconfig([kubeconfig]), systemClock)
  const access = clusterTapAccess(client)
  await expect(access(await tokenFor(tapAudience), 'shop')).rejects.toMatchObject({ code: 'TAP_REFUSED' })
  client.close()
})

test('a zoo of tokens, each refused by the API server or by what we read of its answer', async () => {
  const reviewer = new TokenReviewAuthenticator({
    client: new KubernetesClient(readKubeconfig([kubeconfig]), systemClock),
  })
  const bound = (pod: string): Promise<string> =>
    server.kubectl([
      'create',
      'token',
      'web',
      '-n',
      'shop',
      '--audience',
      'weft',
      '--bound-object-kind',
      'Pod',
      '--bound-object-name',
      pod,
    ])
  const good = (await bound('web')).trim()
  await expect(reviewer.authenticate(good)).resolves.toEqual({
    namespace: 'shop',
    serviceAccount: 'web',
    pod: 'web',
  })
  await server.apply(`
apiVersion: v1
kind: Pod
metadata: {name: gone, namespace: shop}
spec: {nodeName: node-1, serviceAccountName: web, containers: [{name: app, image: app}]}
`)
  const replayed = (await bound('gone')).trim()
  await server.kubectl(['delete', 'pod', 'gone', '-n', 'shop', '--grace-period=0', '--force'])
  const [header = '', claims = '', signature = ''] = good.split('.')
  const read = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const changed = (more: object): string => [header, part({ ...read, ...more }), signature].join('.')
  const nowS = Math.floor(Date.now() / 1000)
  const signedBy = (key: KeyObject, more: object): string => {
    const signed = `${header}.${part({ ...read, ...more })}`
    const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' })
    return `${signed}.${signature.toString('base64url')}`
  }
  /** By the cluster's own key. */
  const signedHere = (more: object): string => {
    const file = path.join(path.dirname(server.kubeconfig), 'service-account.key')
    return signedBy(createPrivateKey(readFileSync(file)), more)
  }
  const about = read['kubernetes.io'] as Readonly<Record<string, object>>
  const aboutAnother = (kind: string, more: object): object => ({
    'kubernetes.io': { ...about, [kind]: { ...about[kind], ...more } },
  })
  if (server.own)
    await expect(reviewer.authenticate(signedHere({ aud: ['weft', 'other'] }))).resolves.toMatchObject({
      serviceAccount: 'web',
    })
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const zoo: Readonly<Record<string, string>> = {
    'of a pod that is gone': replayed,
    'of another cluster': signedBy(privateKey, {}),
    'for another audience': await tokenFor('somebody-else'),
    'for the API server': await tokenFor(),
    'changed to never expire': changed({ exp: 4_000_000_000 }),
    'changed to another account': changed({ sub: 'system:serviceaccount:kube-system:admin' }),
    truncated: good.slice(0, -10),
    'without a signature': `${header}.${claims}.`,
    'that says it needs no signature': `${part({ alg: 'none' })}.${claims}.`,
    padded: `${good}=`,
    'no token': 'a.b.c',
    ...(server.own
      ? {
          expired: signedHere({ iat: nowS - 7_200, nbf: nowS - 7_200, exp: nowS - 600 }),
          'not valid yet': signedHere({ nbf: nowS + 600 }),
          // The API server looks at what it has written itself, and never at the subject.
          'of no ServiceAccount': signedHere({ 'kubernetes.io': undefined }),
          'of another ServiceAccount': signedHere(aboutAnother('serviceaccount', { name: 'default' })),
          'of a pod of that name that is gone': signedHere(aboutAnother('pod', { uid: 'another' })),
          'of another issuer': signedHere({ iss: 'https://other.example' }),
        }
      : {}),
  }
  const codeOf = (token: string): Promise<string> =>
    reviewer.authenticate(token).then(JSON.stringify, ({ code }: { readonly code: string }) => code)
  for (const [what, token] of Object.entries(zoo))
    expect([what, await codeOf(token)]).toEqual([what, 'TOKEN_INVALID'])
  await expect(reviewer.authenticate('')).rejects.toMatchObject({ code: 'TOKEN_MALFORMED' })
  await expect(reviewer.authenticate(good.repeat(20))).rejects.toMatchObject({ code: 'TOKEN_TOO_LARGE' })
})

test('replicas that start at the same moment sign with one root', async () => {
  const admin = new KubernetesClient(readKubeconfig([server.kubeconfig]), systemClock)
  const open = async (name: string) => {
    const secret = { namespace: 'weft', name }
    const parts = { client: admin, trustDomain: 'cluster.local', clock: systemClock, log }
    return (await new TrustSecret({ ...parts, secret }).load()).pem.issuer
  }
  const made = await Promise.all(Array.from({ length: 5 }, () => open('raced')))
  expect(new Set(made.map(({ certificatePem }) => certificatePem)).size).toBe(1)
  // An empty one is filled by whoever comes first, too.
  await server.kubectl(['create', 'secret', 'generic', '-n', 'weft', 'prepared'])
  const filled = await Promise.all(Array.from({ length: 5 }, () => open('prepared')))
  expect(new Set(filled.map(({ certificatePem }) => certificatePem)).size).toBe(1)
  expect(new X509Certificate((await open('prepared')).certificatePem).ca).toBe(true)
  admin.close()
})

test('replicas lead a rotation through one Secret: one of two goes on, the other follows', async () => {
  const admin = new KubernetesClient(readKubeconfig([server.kubeconfig]), systemClock)
  const parts = { trustDomain: 'cluster.local', clock: systemClock, log }
  const store = () =>
    new TrustSecret({ ...parts, client: admin, secret: { namespace: 'weft', name: 'rotated' } })
  const [one, other] = [
    await MeshTrust.open({ ...parts, store: store() }),
    await MeshTrust.open({ ...parts, store: store() }),
  ]
  const raced = await Promise.allSettled([one.advance('new-trusted'), other.advance('new-trusted')])
  expect(raced.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  for (const phase of ['new-issues', 'steady'] as const) {
    await one.advance(phase)
    await other.refresh()
    const { bundle, issuingRoot } = other.current
    expect({ phase: other.current.phase, bundle, issuingRoot }).toEqual({
      phase,
      bundle: one.current.bundle,
      issuingRoot: one.current.issuingRoot,
    })
  }
  const secret = await server.kubectl(['get', 'secret', '-n', 'weft', 'rotated', '-o', 'json'])
  const { data } = JSON.parse(secret) as { readonly data: object }
  expect(Object.keys(data).toSorted()).toEqual(['tls.crt', 'tls.key'])
  admin.close()
})

test('TrafficSplits count as soon as their CustomResourceDefinition is there', async () => {
  await server.kubectl(['apply', '-f', crds])
  await server.kubectl(['wait', '--for=condition=Established', '--timeout=30s', '-f', crds])
  await server.apply(split(3, 1))
  await untilShare(25, 15_000)
  const tally = await client.tally(url, 400)
  expect(Object.keys(tally).toSorted()).toEqual(['catalog-v1', 'catalog-v2'])
  expect(tally['catalog-v2']).toBeGreaterThan(60)
  expect(tally['catalog-v2']).toBeLessThan(140)
})

type Conditions = readonly {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly observedGeneration: number
}[]
type Status = {
  readonly metadata: { readonly generation: number }
  readonly status?: {
    readonly conditions?: Conditions
    readonly parents?: readonly {
      readonly controllerName: string
      readonly parentRef: object
      readonly conditions: Conditions
    }[]
  }
}

async function statusOf(kind: string): Promise<Status> {
  return JSON.parse(await server.kubectl(['get', kind, 'catalog', '-n', 'shop', '-o', 'json'])) as Status
}

/** `Accepted=True/Accepted@1`: the last is whether it is about the newest generation. */
function shortly({ metadata }: Status, conditions: Conditions | undefined): readonly string[] {
  return (conditions ?? []).map(
    ({ type, status, reason, observedGeneration }) =>
      `${type}=${status}/${reason}${observedGeneration === metadata.generation ? '' : ' of an older one'}`,
  )
}

test('a split says in its status what is done with it', async () => {
  const conditions = async () => {
    const split = await statusOf('trafficsplit')
    return shortly(split, split.status?.conditions)
  }
  const well = ['Accepted=True/Accepted', 'ResolvedRefs=True/ResolvedRefs', 'Programmed=True/Programmed']
  await expect.poll(conditions, { timeout: 10_000 }).toEqual(well)
  await server.apply(split(3, 1).replace('catalog-v2', 'catalog-v3'))
  await expect
    .poll(conditions, { timeout: 10_000 })
    .toEqual(['Accepted=True/Accepted', 'ResolvedRefs=False/BackendUnknown', 'Programmed=True/Programmed'])
  await server.apply(split(3, 1))
  await expect.poll(conditions, { timeout: 10_000 }).toEqual(well)
})

async function eventsOf(kind: string): Promise<readonly string[]> {
  const about = `involvedObject.kind=${kind},involvedObject.name=catalog`
  const text = await server.kubectl(['get', 'events', '-n', 'shop', '--field-selector', about, '-o', 'json'])
  const { items } = JSON.parse(text) as {
    readonly items: readonly {
      readonly type: string
      readonly reason: string
      readonly count: number
      readonly source: { readonly component: string }
    }[]
  }
  return items
    .filter(({ source }) => source.component === 'weft-control-plane')
    .map(({ type, reason, count }) => `${type} ${reason} x${count}`)
    .toSorted()
}

test('what becomes wrong with a split and right again is told in Events, and a rollout tells nothing', async () => {
  const once = ['Normal Resolved x1', 'Warning BackendUnknown x1']
  await expect.poll(() => eventsOf('TrafficSplit'), { timeout: 10_000 }).toEqual(once)
  expect(await server.kubectl(['describe', 'trafficsplit', 'catalog', '-n', 'shop'])).toMatch(
    /Warning +BackendUnknown .*weft-control-plane +backend 'catalog-v3' is no Service/,
  )
  for (const canary of [5, 10, 20, 35, 50, 25]) {
    await server.apply(split(100 - canary, canary))
    await untilShare(canary, 2_000)
  }
  // Wrong again in the same way: counted, and by then the steps before would have told.
  await server.apply(split(3, 1).replace('catalog-v2', 'catalog-v3'))
  await expect
    .poll(() => eventsOf('TrafficSplit'), { timeout: 10_000 })
    .toEqual(['Normal Resolved x1', 'Warning BackendUnknown x2'])
  await server.apply(split(3, 1))
  await expect
    .poll(() => eventsOf('TrafficSplit'), { timeout: 10_000 })
    .toEqual(['Normal Resolved x2', 'Warning BackendUnknown x2'])
})

test("a policy says in its status whether it counts, beside other controllers' conditions", async () => {
  const policy = (service: string) => `
apiVersion: weft.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: catalog, namespace: shop}
spec: {targetRefs: [{kind: Service, name: ${service}}], timeouts: {request: 20s}}
`
  const conditions = async () => {
    const written = await statusOf('trafficpolicy')
    return shortly(written, written.status?.conditions)
  }
  await server.apply(policy('catalog'))
  await expect.poll(conditions, { timeout: 15_000 }).toEqual(['Accepted=True/Accepted'])
  const theirs = {
    type: 'Audited',
    status: 'True',
    reason: 'Audited',
    message: 'theirs',
    observedGeneration: 1,
    lastTransitionTime: '2026-01-01T00:00:00Z',
  }
  const patch = [{ op: 'add', path: '/status/conditions/-', value: theirs }]
  const ofPolicy = ['trafficpolicy', 'catalog', '-n', 'shop']
  const asPatch = ['--subresource=status', '--type=json', '-p', JSON.stringify(patch)]
  await server.kubectl(['patch', ...ofPolicy, ...asPatch])
  await server.apply(policy('ghost'))
  await expect
    .poll(conditions, { timeout: 10_000 })
    .toEqual(['Audited=True/Audited of an older one', 'Accepted=False/TargetNotFound'])
  await expect.poll(() => eventsOf('TrafficPolicy')).toEqual(['Warning TargetNotFound x1'])
  await server.kubectl(['delete', ...ofPolicy])
})

test('who may call nobody is said in the status of policies and targets, too', async () => {
  await server.apply(`
apiVersion: weft.dev/v1alpha1
kind: AccessPolicy
metadata: {name: catalog, namespace: shop}
spec: {targetRefs: [{kind: Pod, matchLabels: {app: none}}], default: deny}
---
apiVersion: access.smi-spec.io/v1alpha4
kind: TrafficTarget
metadata: {name: catalog, namespace: shop}
spec:
  destination: {kind: ServiceAccount, name: nobody, namespace: shop}
  sources: [{kind: ServiceAccount, name: web, namespace: shop}]
  rules: [{kind: HTTPRouteGroup, name: none}]
---
apiVersion: access.smi-spec.io/v1alpha4
kind: IdentityBinding
metadata: {name: catalog, namespace: shop}
spec: {schemes: {podLabelSelectors: [{matchLabels: {app: none}}]}}
`)
  for (const kind of ['accesspolicy', 'traffictarget', 'identitybinding']) {
    const accepted = async () => {
      const written = await statusOf(kind)
      return shortly(written, written.status?.conditions)[0]
    }
    await expect.poll(accepted, { timeout: 15_000 }).toBe('Accepted=False/TargetNotFound')
    await server.kubectl(['delete', kind, 'catalog', '-n', 'shop'])
  }
})

test('an HTTPRoute counts as soon as the Gateway API is there, in v1beta1 too, and beats a split', async () => {
  const kinds = ['httproutes', 'grpcroutes', 'referencegrants'].map(
    (plural) => `config/crd/standard/gateway.networking.k8s.io_${plural}.yaml`,
  )
  for (const file of kinds)
    await server.kubectl(['apply', '-f', path.join(process.env['WEFT_GATEWAY_API'] ?? '', file)])
  await server.kubectl(['apply', '-f', crds])
  await server.kubectl(['wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all'])
  await server.apply(split(3, 1))
  await expect.poll(() => client.send(url), { timeout: 15_000 }).toMatchObject({ status: 200 })
  await untilShare(25, 15_000)
  await server.apply(`
apiVersion: gateway.networking.k8s.io/v1beta1
kind: HTTPRoute
metadata: {name: catalog, namespace: shop}
spec:
  parentRefs: [{group: '', kind: Service, name: catalog, port: 8080}]
  rules:
    - matches: [{headers: [{name: x-version, value: v2}]}]
      backendRefs: [{name: catalog-v2, port: 8080}]
    - backendRefs: [{name: catalog-v1, port: 8080}]
`)
  const asV2 = { headers: { 'x-version': 'v2' } }
  await expect.poll(() => client.tally(url, 20, asV2), { timeout: 15_000 }).toEqual({ 'catalog-v2': 20 })
  expect(await client.tally(url, 20)).toEqual({ 'catalog-v1': 20 })

  // Another controller's entry stays beside ours.
  const other = {
    controllerName: 'example.com/other',
    parentRef: { group: '', kind: 'Service', name: 'catalog' },
    conditions: [
      {
        type: 'Accepted',
        status: 'True',
        reason: 'Accepted',
        message: 'theirs',
        observedGeneration: 1,
        lastTransitionTime: '2026-01-01T00:00:00Z',
      },
    ],
  }
  const parents = [...((await statusOf('httproute')).status?.parents ?? []), other]
  await server.kubectl([
    'patch',
    'httproute',
    'catalog',
    '-n',
    'shop',
    '--subresource=status',
    '--type=merge',
    '-p',
    JSON.stringify({ status: { parents } }),
  ])
  const patch = [{ op: 'replace', path: '/spec/rules/1/backendRefs/0/name', value: 'nowhere' }]
  const json = JSON.stringify(patch)
  await server.kubectl(['patch', 'httproute', 'catalog', '-n', 'shop', '--type=json', '-p', json])
  await expect
    .poll(
      async () => {
        const route = await statusOf('httproute')
        return Object.fromEntries(
          (route.status?.parents ?? []).map(({ controllerName, conditions }) => [
            controllerName,
            shortly(route, conditions),
          ]),
        )
      },
      { timeout: 10_000 },
    )
    .toEqual({
      'example.com/other': ['Accepted=True/Accepted of an older one'],
      'weft.dev/control-plane': ['Accepted=True/Accepted', 'ResolvedRefs=False/BackendNotFound'],
    })
  // A GRPCRoute beats it, and says so to both.
  await server.apply(`
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: {name: catalog, namespace: shop}
spec:
  parentRefs: [{group: '', kind: Service, name: catalog}]
  rules:
    - matches: [{method: {service: shop.Catalog}}]
      backendRefs: [{name: catalog-v2, port: 8080}]
`)
  const accepted = async (kind: string): Promise<readonly string[]> => {
    const route = await statusOf(kind)
    const ours = route.status?.parents?.find((parent) => parent.controllerName.startsWith('weft.dev'))
    return shortly(route, ours?.conditions ?? [])
  }
  await expect
    .poll(() => accepted('grpcroute'), { timeout: 10_000 })
    .toEqual(['Accepted=True/Accepted', 'ResolvedRefs=True/ResolvedRefs'])
  await expect.poll(() => accepted('httproute'), { timeout: 10_000 }).toContain('Accepted=False/Conflicted')
  const call = 'http://catalog.shop:8080/shop.Catalog/List'
  await expect.poll(() => client.tally(call, 20), { timeout: 10_000 }).toEqual({ 'catalog-v2': 20 })
  await server.kubectl(['delete', 'grpcroute', 'catalog', '-n', 'shop'])
  await expect.poll(() => accepted('httproute'), { timeout: 10_000 }).toContain('Accepted=True/Accepted')
  await server.kubectl(['delete', 'httproute', 'catalog', '-n', 'shop'])
  await untilShare(25, 2_000)
})

test("a sidecar is in its node's zone, and prefers that one where a policy says so", async () => {
  const names = ['near', 'far'] as const
  const ips = { near: '10.244.0.5', far: '10.244.0.6' }
  const nodes = { near: 'node-1', far: 'node-2' }
  await server.apply(`
apiVersion: v1
kind: Node
metadata: {name: node-2, labels: {topology.kubernetes.io/zone: zone-b}}
---
apiVersion: v1
kind: Service
metadata: {name: zoned, namespace: shop}
spec: {selector: {app: zoned}, ports: [{name: http, port: 8080, targetPort: http}]}
`)
  for (const name of names) {
    const app = await startHttpApplication(name, undefined, ips[name])
    apps[name] = app
    await server.apply(`
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: shop, labels: {app: zoned}}
spec: {nodeName: ${nodes[name]}, containers: [{name: app, image: app, ports: [{name: http, containerPort: ${app.port}}]}]}
`)
    await setPod(name, ips[name], 'True')
  }
  const tally = async () => Object.keys(await client.tally('http://zoned.shop:8080/', 40)).toSorted()
  await expect.poll(tally, { timeout: 10_000 }).toEqual(['far', 'near'])
  await server.apply(`
apiVersion: weft.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: zoned, namespace: shop}
spec: {targetRefs: [{kind: Service, name: zoned}], balancer: {zonePreference: SameZone}}
`)
  await expect.poll(tally, { timeout: 10_000 }).toEqual(['near'])
  // The sidecar follows its node; whether EndpointSlices do is Kubernetes' own affair.
  await server.kubectl(['label', 'node', 'node-1', '--overwrite', 'topology.kubernetes.io/zone=zone-b'])
  await expect.poll(tally, { timeout: 10_000 }).toContain('far')
})

test('what the schema lets through and the mesh does not is in its status and in Events, and the last good one stays', async () => {
  const refused = () =>
    plane.page<{ readonly refused: readonly string[] }>('/findings').then((page) => page.refused)
  const accepted = async () => {
    const written = await statusOf('trafficsplit')
    return shortly(written, written.status?.conditions).toSorted()[0]
  }
  const described = () => server.kubectl(['describe', 'trafficsplit', 'catalog', '-n', 'shop'])
  await server.apply(split(9, 1))
  await untilShare(10, 2_000)
  await server.apply(split(8, 2).replace('catalog-v2', 'catalog-v2.elsewhere'))
  await expect.poll(refused).toEqual(['TrafficSplit shop/catalog'])
  await expect.poll(accepted, { timeout: 10_000 }).toBe('Accepted=False/Invalid')
  await expect
    .poll(described)
    .toMatch(
      /Warning +Invalid .*weft-control-plane +spec\.backends\[1\]\.service: must be a Service of the split's own namespace/,
    )
  expect(await usedShare(sidecar.adminPort, destination)).toBe(10)
  // The same as before it was broken: nothing changes in the mesh, and its status does.
  await server.apply(split(9, 1))
  await expect.poll(accepted, { timeout: 10_000 }).toBe('Accepted=True/Accepted')
  expect(await refused()).toEqual([])
  await expect.poll(described).toMatch(/Normal +Resolved .*Accepted: no longer Invalid/)
  // A Service has no status of ours.
  const asked = ['annotate', 'service', '-n', 'shop', 'catalog', '--overwrite']
  await server.kubectl([...asked, 'timeout.weft.dev/request=soon'])
  await expect.poll(() => eventsOf('Service'), { timeout: 10_000 }).toEqual(['Warning Invalid x1'])
  await server.kubectl([...asked, 'timeout.weft.dev/request-'])
  await expect.poll(refused).toEqual([])
})

test("a pod's own address leads to that pod alone, as a destination of the mesh", async () => {
  const { port } = apps['catalog-v1'] as HttpApplication
  expect(await client.tally(`http://10.244.0.3:${port}/`, 20)).toEqual({ 'catalog-v1': 20 })
  const { text } = await fetchText(sidecar.adminPort, '/config')
  const { destinations } = JSON.parse(text) as { readonly destinations: Readonly<Record<string, object>> }
  expect(Object.keys(destinations)).toContain(`10.244.0.3:${port}`)
})

test('an endpoint that is not ready gets nothing, and comes back', async () => {
  await server.apply(split(1, 1))
  await untilShare(50, 2_000)
  await setPod('catalog-v2', '10.244.0.4', 'False')
  await expect
    .poll(async () => Object.keys(await client.tally(url, 40)), { timeout: 10_000 })
    .toEqual(['catalog-v1'])
  await setPod('catalog-v2', '10.244.0.4', 'True')
  await expect
    .poll(async () => Object.keys(await client.tally(url, 40)).toSorted(), { timeout: 10_000 })
    .toEqual(['catalog-v1', 'catalog-v2'])
})

/** Requests go on all the while; gives how often each status was answered, when `act` is over. */
async function underLoad(act: () => Promise<void>): Promise<Readonly<Record<number, number>>> {
  const statuses: Record<number, number> = {}
  let going = true
  const worker = async (): Promise<void> => {
    while (going) {
      const { status } = await client.send(url)
      statuses[status] = (statuses[status] ?? 0) + 1
      await setTimeout(loadEveryMs)
    }
  }
  const load = Promise.all(Array.from({ length: loaders }, worker))
  try {
    await act()
  } finally {
    going = false
    await load
  }
  return statuses
}

function tell(what: string, statuses: Readonly<Record<number, number>>, tookMs: number): void {
  process.stdout.write(`${what}: ${statuses[200]} requests, caught up after ${tookMs.toFixed(0)} ms\n`)
}

testOwnServer(
  'the API server is killed and comes back: no request fails, and what changed is there within 5 s',
  async () => {
    let tookMs = 0
    const statuses = await underLoad(async () => {
      await server.kill()
      await expect.poll(() => plane.log).toContain('KUBERNETES_UNREACHABLE')
      await server.startAgain()
      await server.apply(split(1, 3))
      tookMs = await untilShare(75, caughtUpWithinMs)
    })
    tell('API server killed', statuses, tookMs)
    expect(Object.keys(statuses)).toEqual(['200'])
  },
)

testOwnServer(
  'every watch is broken: no request fails, and what changes at that moment is there within 5 s',
  async () => {
    let tookMs = 0
    const statuses = await underLoad(async () => {
      for (const percent of [20, 50]) {
        gate?.cut()
        await server.apply(split(100 - percent, percent))
        tookMs = Math.max(tookMs, await untilShare(percent, caughtUpWithinMs))
      }
    })
    tell('watches broken', statuses, tookMs)
    expect(Object.keys(statuses)).toEqual(['200'])
  },
)

/** A level with no place for requests. It takes one nevertheless, as any level does. */
const throttled = `
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: PriorityLevelConfiguration
metadata: {name: throttled}
spec:
  type: Limited
  limited: {nominalConcurrencyShares: 0, lendablePercent: 0, borrowingLimitPercent: 0, limitResponse: {type: Reject}}
---
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: FlowSchema
metadata: {name: throttled}
spec:
  priorityLevelConfiguration: {name: throttled}
  matchingPrecedence: 2
  rules:
    - subjects: [{kind: ServiceAccount, serviceAccount: {namespace: weft, name: weft-control-plane}}]
      resourceRules: [{verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*']}]
      nonResourceRules: [{verbs: ['*'], nonResourceURLs: ['*']}]
`

/** Resolves when requests of the control plane's account are refused, because the one that is taken is one of ours. */
async function takeThrottledPlace(): Promise<() => void> {
  const plug = new KubernetesClient(readKubeconfig([kubeconfig]), systemClock)
  const full = Promise.withResolvers<void>()
  let going = true
  const hold = async (): Promise<void> => {
    while (going) {
      // For a version that is not there yet the API server waits 3 s.
      const { status } = await plug.request('GET', '/api/v1/pods?limit=1&resourceVersion=999999999')
      if (status === 429) full.resolve()
      await setTimeout(loadEveryMs)
    }
  }
  const holding = Promise.all([hold(), hold(), hold()]).catch(full.reject)
  await full.promise
  return () => {
    going = false
    void holding.then(() => plug.close())
  }
}

testOwnServer(
  'the API server throttles the control plane: no request fails, and 5 s after it all is caught up',
  async () => {
    const before = plane.log.length
    let tookMs = 0
    const statuses = await underLoad(async () => {
      await server.apply(throttled)
      const leave = await takeThrottledPlace()
      gate?.cut()
      await expect
        .poll(() => plane.log.slice(before), { timeout: 10_000 })
        // The first of them to be refused is told, and stands for all.
        .toMatch(/"reason":"(?:watch [a-z]+|reading the Lease): 429"/)
      await server.apply(split(80, 20))
      await setTimeout(throttledMs)
      leave()
      await server.kubectl(['delete', 'flowschema,prioritylevelconfiguration', 'throttled'])
      tookMs = await untilShare(20, caughtUpWithinMs)
    })
    tell('API server throttles', statuses, tookMs)
    expect(Object.keys(statuses)).toEqual(['200'])
  },
)

testOwnServer(
  'the API server is away for long and the control plane starts anew: no request fails, and 5 s later all is caught up',
  async () => {
    await server.apply(split(1, 1))
    await untilShare(50, 15_000)
    let tookMs = 0
    const statuses = await underLoad(async () => {
      await server.kill()
      await setTimeout(outageMs / 4)
      await plane.stop()
      await setTimeout(outageMs / 4)
      plane = await ClusterControlPlane.start(kubeconfig, { grpcPort: plane.grpcPort })
      await setTimeout(outageMs / 2)
      await server.startAgain()
      await server.apply(split(1, 3))
      tookMs = await untilShare(75, caughtUpWithinMs)
    })
    tell(`API server away for ${outageMs} ms`, statuses, tookMs)
    expect(Object.keys(statuses)).toEqual(['200'])
  },
  outageMs + 60_000,
)

testOwnServer('what happened beyond a compaction is found by listing anew, deletions included', async () => {
  const before = plane.log.length
  let tookMs = 0
  const statuses = await underLoad(async () => {
    gate?.close()
    await server.apply(split(4, 1))
    await server.kubectl(['delete', 'service', 'catalog-v1', '-n', 'shop'])
    await server.compact()
    // What it still remembers by itself goes too.
    await server.kill()
    await server.startAgain()
    await server.compact()
    gate?.reopen()
    tookMs = await untilShare(100, caughtUpWithinMs)
  })
  tell('compacted', statuses, tookMs)
  expect(Object.keys(statuses)).toEqual(['200'])
  // A kind that is built in: others may also be unknown for a moment, which is another reason to list anew.
  expect(plane.log.slice(before)).toMatch(/"kind":"Service".*the watch expired/)
  await deploy('catalog-v1', '10.244.0.3', (apps['catalog-v1'] as HttpApplication).port)
  await untilShare(20, 10_000)
})

testOwnServer('a control plane that starts while the API server is away waits for it', async () => {
  await server.kill()
  const second = await ClusterControlPlane.start(kubeconfig)
  try {
    await expect.poll(() => second.log, { timeout: 20_000 }).toContain('KUBERNETES_UNREACHABLE')
    expect(await second.status('/live')).toBe(200)
    expect(await second.status('/ready')).toBe(503)
    await server.startAgain()
    await second.untilReady()
    const { splits } = await second.page<{ readonly splits: readonly object[] }>('/splits')
    expect(splits).toHaveLength(1)
  } finally {
    await second.stop()
  }
})

testOwnServer(
  'it did all of this with the rights that it is installed with, and every one of them was needed',
  () => {
    expect(compareRights(server.audit(), controlPlaneRights(), 'weft-control-plane')).toEqual({
      lacking: [],
      unused: [],
      foreign: [],
    })
  },
)

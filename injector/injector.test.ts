import { once } from 'node:events'
import { Readable } from 'node:stream'
import { connect, type TLSSocket } from 'node:tls'
import fc from 'fast-check'
import { Agent, request } from 'undici'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createLog, type Log } from '../core/log.ts'
import { type RunningInjector, startInjector } from './injector.ts'
import type { PatchOperation } from './patch.ts'
import type { Pod } from './pod.ts'
import { readInjectorSettings } from './settings.ts'
import { applyPatch } from './test-apply-patch.ts'
import { TestApiServer } from './test-api-server.ts'

const servername = 'weft-injector.weft.svc'
const lines: Record<string, unknown>[] = []
const log: Log = createLog({
  process: 'test',
  level: 'info',
  destination: { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
})

let api: TestApiServer
let injector: RunningInjector
let agent: Agent

function start(): Promise<RunningInjector> {
  const args = [
    `--kubeconfig=${api.kubeconfig}`,
    '--webhook-address=127.0.0.1:0',
    '--admin-address=127.0.0.1:0',
    '--drain-delay=0',
  ]
  return startInjector(readInjectorSettings({ args, env: {} }), log, {})
}

beforeEach(async () => {
  lines.length = 0
  api = await TestApiServer.start()
  injector = await start()
  // As the API server: it trusts the caBundle, and nothing else.
  agent = new Agent({ connect: { ca: api.caBundle, servername } })
})
afterEach(async () => {
  await agent.destroy()
  await injector.shutdown.run(5_000)
  await api.stop()
})

type Answer = { readonly status: number; readonly body: string }

async function post(body: string | Buffer, path = '/inject'): Promise<Answer> {
  const url = `https://127.0.0.1:${injector.webhookPort}${path}`
  const reply = await request(url, { method: 'POST', body, dispatcher: agent })
  return { status: reply.statusCode, body: await reply.body.text() }
}

const pod = (more: object = {}, metadata: object = {}): Pod => ({
  metadata: { generateName: 'web-', ...metadata },
  spec: { containers: [{ name: 'web' }], ...more },
})

function review(object: unknown, more: object = {}): string {
  const resource = { group: '', version: 'v1', resource: 'pods' }
  const asked = { uid: 'u-1', resource, operation: 'CREATE', namespace: 'shop', object, ...more }
  return JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: asked })
}

type Response = {
  readonly uid: string
  readonly allowed: boolean
  readonly patchType?: string
  readonly patch?: string
  readonly warnings?: readonly string[]
  readonly status?: { readonly code: number; readonly message: string }
}

async function admit(object: unknown, more: object = {}): Promise<Response> {
  const { status, body } = await post(review(object, more))
  expect(status, body).toBe(200)
  const answered = JSON.parse(body) as { apiVersion: string; kind: string; response: Response }
  expect(answered).toMatchObject({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid: 'u-1' },
  })
  return answered.response
}

const metric = async (name: string): Promise<string | undefined> => {
  const { body } = await request(`http://127.0.0.1:${injector.adminPort}/metrics`)
  return (await body.text()).split('\n').find((line) => line.startsWith(name))
}
const ready = async (): Promise<Answer> => {
  const { statusCode, body } = await request(`http://127.0.0.1:${injector.adminPort}/ready`)
  return { status: statusCode, body: await body.text() }
}

describe('a review', () => {
  test('is answered with its own uid and a JSON Patch in base64 that gives the pod its sidecar', async () => {
    const response = await admit(pod())
    expect(response).toMatchObject({ uid: 'u-1', allowed: true, patchType: 'JSONPatch' })
    const patch = JSON.parse(
      Buffer.from(response.patch ?? '', 'base64').toString(),
    ) as readonly PatchOperation[]
    const { spec, metadata } = applyPatch(pod(), patch) as Pod
    expect(spec.initContainers?.map(({ name }) => name)).toEqual(['weft-init', 'weft-proxy'])
    expect(metadata?.annotations?.['weft.dev/trust-bundle']).toContain('MIIB')
  })

  test("takes the namespace from the request, as a new pod has none, and the pod's name from its beginning", async () => {
    api.namespace('quiet', {})
    expect(await admit(pod(), { namespace: 'quiet' })).toEqual({ uid: 'u-1', allowed: true })
    expect(lines.at(-1)).toMatchObject({
      msg: 'admission',
      namespace: 'quiet',
      pod: 'web-',
      outcome: 'skipped',
      reason: 'weft.dev/inject is not set',
    })
  })

  test('of an injected pod (reinvocation) is answered without a patch', async () => {
    const first = JSON.parse(
      Buffer.from((await admit(pod())).patch ?? '', 'base64').toString(),
    ) as readonly PatchOperation[]
    expect(await admit(applyPatch(pod(), first))).toEqual({ uid: 'u-1', allowed: true })
  })

  test('of a dry run is answered the same, and neither counted', async () => {
    expect((await admit(pod(), { dryRun: true })).patch).toBeDefined()
    expect(await metric('injector_decisions_total{outcome="injected"}')).toMatch(/ 0$/)
    await admit(pod())
    expect(await metric('injector_decisions_total{outcome="injected"}')).toMatch(/ 1$/)
  })

  test('of a pod that is skipped for a reason carries it as a warning', async () => {
    const response = await admit(pod({ hostNetwork: true }))
    expect(response).toMatchObject({ allowed: true, warnings: [expect.stringContaining("node's network")] })
    expect(response.patch).toBeUndefined()
  })

  test('of a pod that would bypass the mesh is denied with what to do', async () => {
    const { allowed, status } = await admit(pod({ securityContext: { runAsUser: 2102 } }))
    expect([allowed, status?.code]).toEqual([false, 403])
    expect(status?.message).toContain('let it run as another user')
  })

  test('of what is no readable pod is denied with where', async () => {
    const { allowed, status } = await admit({ spec: { containers: 'none' } })
    expect([allowed, status?.code, status?.message]).toEqual([
      false,
      400,
      'weft cannot read this pod: spec.containers is not a list',
    ])
  })

  test('of anything that is no new pod is let through untouched', async () => {
    const resource = { group: 'apps', version: 'v1', resource: 'deployments' }
    expect(await admit(pod(), { resource })).toEqual({ uid: 'u-1', allowed: true })
    expect(await admit(pod(), { operation: 'UPDATE' })).toEqual({ uid: 'u-1', allowed: true })
    expect(await admit(pod(), { subResource: 'exec' })).toEqual({ uid: 'u-1', allowed: true })
  })

  test('that nobody can decide on is no answer, so that the failurePolicy decides', async () => {
    expect(await post(review(pod(), { namespace: 'gone' }))).toMatchObject({ status: 500 })
    const optedOut = pod({}, { annotations: { 'weft.dev/inject': 'disabled' } })
    expect(await admit(optedOut, { namespace: 'gone' })).toEqual({ uid: 'u-1', allowed: true })
  })

  test("heeds a namespace's annotation, and asks for it once for the pods of a moment", async () => {
    const asked = () => api.requests.filter((line) => line.endsWith('/namespaces/shop')).length
    await Promise.all([admit(pod()), admit(pod()), admit(pod())])
    expect(asked()).toBe(1)
  })
})

describe('bad input', () => {
  test.each([
    ['no JSON', '{"a":'],
    ['no object', '[]'],
    ['null', 'null'],
    ['another kind', '{"apiVersion":"v1","kind":"Pod"}'],
    ['v1beta1', '{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview","request":{"uid":"1"}}'],
    ['no request', '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}'],
    ['no uid', review(pod(), { uid: undefined })],
    ['an empty body', ''],
  ])('%s is 400, and the next review is answered', async (_name, body) => {
    expect(await post(body)).toMatchObject({ status: 400 })
    expect((await admit(pod())).allowed).toBe(true)
  })

  test('a body above 3 MiB is 413, announced or not', async () => {
    const large = Buffer.alloc(3 * 1024 * 1024 + 1, ' ')
    expect(await post(large)).toMatchObject({ status: 413 })
    async function* pieces(): AsyncGenerator<Buffer> {
      for (let i = 0; i < 4; i++) yield await Promise.resolve(large.subarray(0, 1024 * 1024))
    }
    const url = `https://127.0.0.1:${injector.webhookPort}/inject`
    const reply = await request(url, { method: 'POST', body: Readable.from(pieces()), dispatcher: agent })
    expect(reply.statusCode).toBe(413)
    await reply.body.dump()
    expect((await admit(pod())).allowed).toBe(true)
  })

  test('a conversion may be as large as a page of a list', async () => {
    const objects = Array.from({ length: 4_000 }, (_, i) => ({
      apiVersion: 'split.smi-spec.io/v1alpha1',
      kind: 'TrafficSplit',
      metadata: { name: `split-${i}`, annotations: { note: 'x'.repeat(1_000) } },
      spec: { service: 'web', backends: [{ service: 'web', weight: '500m' }] },
    }))
    const asked = { uid: 'u-1', desiredAPIVersion: 'split.smi-spec.io/v1alpha4', objects }
    const sent = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview', request: asked }
    const { status, body } = await post(JSON.stringify(sent), '/convert')
    expect(status).toBe(200)
    const { response } = JSON.parse(body) as { response: { convertedObjects: { spec: object }[] } }
    expect(response.convertedObjects).toHaveLength(4_000)
    expect(response.convertedObjects[0]?.spec).toMatchObject({ backends: [{ weight: 1 }] })
    expect(await metric('injector_conversions_total')).toBe('injector_conversions_total 4000')
  })

  test('other paths and methods are told', async () => {
    expect(await post('{}', '/other')).toMatchObject({ status: 404 })
    const reply = await request(`https://127.0.0.1:${injector.webhookPort}/inject`, { dispatcher: agent })
    expect(reply.statusCode).toBe(405)
    await reply.body.dump()
  })

  test('nothing that a review can hold ends the process or leaves it without an answer', async () => {
    const spec = fc.record(
      {
        containers: fc.jsonValue(),
        initContainers: fc.jsonValue(),
        volumes: fc.jsonValue(),
        securityContext: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    const object = fc.oneof(fc.jsonValue(), fc.record({ metadata: fc.jsonValue(), spec }))
    await fc.assert(
      fc.asyncProperty(object, fc.jsonValue(), async (value, metadata) => {
        expect((await post(review(value))).status).toBe(200)
        expect((await post(review({ ...pod(), metadata }))).status).toBe(200)
      }),
      { numRuns: 100 },
    )
    expect((await admit(pod())).allowed).toBe(true)
  })

  test('bytes that are no TLS, and a handshake that breaks off, cost only their own connection', async () => {
    const socket: TLSSocket = connect({ host: '127.0.0.1', port: injector.webhookPort, ca: 'none' })
    await once(socket, 'error')
    expect((await admit(pod())).allowed).toBe(true)
  })
})

describe('the certificate', () => {
  test('is put beside those of other replicas, whatever is written meanwhile', async () => {
    const first = api.caBundle
    let interruptions = 1
    api.beforeWrite = () => {
      if (interruptions-- <= 0) return
      const [at, object] = [...api.objects].find(([path]) => path.includes('mutating')) as [string, never]
      api.put(at, object)
    }
    const second = await start()
    expect(api.caBundle.startsWith(first.trim())).toBe(true)
    expect(api.caBundle.match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
    // Both are trusted by the one bundle.
    for (const { webhookPort } of [injector, second]) {
      const both = new Agent({ connect: { ca: api.caBundle, servername } })
      const url = `https://127.0.0.1:${webhookPort}/inject`
      const { statusCode, body } = await request(url, {
        method: 'POST',
        body: review(pod()),
        dispatcher: both,
      })
      expect(statusCode).toBe(200)
      await body.dump()
      await both.destroy()
    }
    await second.shutdown.run(5_000)
  })

  test("is put into our CRDs too, and into nobody else's", async () => {
    const ours = { name: 'weft-injector', namespace: 'weft' }
    api.crd('trafficsplits.split.smi-spec.io', ours)
    api.crd('tcproutes.specs.smi-spec.io', { ...ours, namespace: 'other' })
    await injector.shutdown.run(5_000)
    injector = await start()
    expect(api.conversionBundle('trafficsplits.split.smi-spec.io')).toContain('BEGIN CERTIFICATE')
    expect(api.caBundle).toContain(api.conversionBundle('trafficsplits.split.smi-spec.io').trim())
    expect(api.conversionBundle('tcproutes.specs.smi-spec.io')).toBe('')
  })

  test('is for the name of the Service, and no other', async () => {
    const other = new Agent({ connect: { ca: api.caBundle, servername: 'other.weft.svc' } })
    const url = `https://127.0.0.1:${injector.webhookPort}/inject`
    await expect(request(url, { method: 'POST', body: '{}', dispatcher: other })).rejects.toThrow(/altnames/)
    await other.destroy()
  })

  test('makes the injector ready, with the trust bundle', async () => {
    expect(await ready()).toMatchObject({ status: 200 })
  })
})

test('without its configuration or the trust bundle, it starts, and says what is missing', async () => {
  await injector.shutdown.run(5_000)
  api.objects.clear()
  injector = await start()
  const { status, body } = await ready()
  expect(status).toBe(503)
  expect(body).toMatch(/certificate: reading MutatingWebhookConfiguration weft-injector: 404/)
  expect(body).toMatch(/trust bundle: reading ConfigMap weft\/weft-trust-bundle: 404/)
})

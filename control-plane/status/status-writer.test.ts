import { afterEach, beforeEach, expect, it } from 'vitest'
import { createLog } from '../../core/log.ts'
import { ManualClock } from '../../core/manual-clock.ts'
import { KubernetesClient } from '../../core/kubernetes/api-client.ts'
import { convertObject } from '../kubernetes-objects/convert.ts'
import { MeshModel } from '../model/mesh-model.ts'
import type { Change } from '../model/objects.ts'
import { ObjectStore, type Refusal } from '../providers/kubernetes/object-store.ts'
import {
  type ScriptedApiServer,
  type ScriptedRequest,
  startScriptedApiServer,
} from '../providers/kubernetes/scripted-api-server.ts'
import { EventRecorder } from './event-recorder.ts'
import { StatusWriter } from './status-writer.ts'

const path = '/apis/split.smi-spec.io/v1alpha4/namespaces/shop/trafficsplits/s'

let server: ScriptedApiServer
let clock: ManualClock
let model: MeshModel
let writer: StatusWriter
let client: KubernetesClient
let leads: boolean
let refusals: Refusal[]

beforeEach(async () => {
  server = await startScriptedApiServer()
  clock = new ManualClock()
  model = new MeshModel()
  leads = true
  refusals = []
  client = new KubernetesClient(server.connection, new ManualClock())
  const log = createLog({ process: 'test', level: 'silent' })
  writer = new StatusWriter({
    client,
    clock,
    log,
    model,
    events: new EventRecorder({ client, clock, log, identity: 'replica' }),
    leads: () => leads,
    refusals: () => refusals,
  })
})

afterEach(async () => {
  const stopped = writer.stop()
  await server.stop()
  await stopped
})

const split = (weight: number, generation: number, status?: object) => ({
  apiVersion: 'split.smi-spec.io/v1alpha4',
  kind: 'TrafficSplit',
  metadata: { name: 's', namespace: 'shop', uid: 'u', generation, resourceVersion: `v${generation}` },
  spec: { service: 'catalog', backends: [{ service: 'v1', weight }] },
  ...(status === undefined ? {} : { status }),
})

function apply(...objects: object[]): void {
  const changes = objects.map((object): Change => {
    const converted = convertObject(object)
    if (converted.outcome !== 'converted' || converted.change === undefined) throw new Error('not converted')
    return converted.change
  })
  writer.update(changes, model.apply(changes))
}

const service = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'shop' },
  spec: { ports: [{ port: 80 }] },
})

/** What had been asked for before would arrive before a request of our own. */
async function expectNothingAsked(): Promise<void> {
  const asked = client.request('GET', '/marker')
  const request = await server.next()
  expect(request.path).toBe('/marker')
  request.reply(200, {})
  await asked
}

async function answerDiscovery(): Promise<void> {
  ;(await server.next()).reply(200, 'ok')
  ;(await server.next()).reply(200, { versions: [{ version: 'v1alpha4' }] })
  ;(await server.next()).reply(200, { resources: [{ name: 'trafficsplits' }] })
}

type Body = {
  readonly metadata: { readonly resourceVersion: string }
  readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] }
}

async function nextWrite(): Promise<{ readonly request: ScriptedRequest; readonly body: Body }> {
  const request = await server.next()
  expect(request.path).toBe(`${path}/status`)
  return { request, body: JSON.parse(request.body) as Body }
}

async function answerEvent(): Promise<object> {
  const request = await server.next()
  expect([request.method, request.path]).toEqual(['POST', '/api/v1/namespaces/shop/events'])
  request.reply(201, {})
  return JSON.parse(request.body) as object
}

async function answerRead(object: object): Promise<void> {
  const request = await server.next()
  expect(request.path).toBe(path)
  request.reply(200, object)
}

it('writes what it finds into the version that it read, and reads anew when that one is old', async () => {
  apply(split(1, 4))
  await answerDiscovery()
  await answerRead(split(1, 4))
  const first = await nextWrite()
  expect(first.body.metadata.resourceVersion).toBe('v4')
  expect(first.body.status.conditions[0]).toMatchObject({
    type: 'Accepted',
    status: 'False',
    reason: 'ApexUnknown',
    observedGeneration: 4,
  })
  first.request.reply(409, {})
  await answerRead({ ...split(1, 4), metadata: { ...split(1, 4).metadata, resourceVersion: 'newer' } })
  const second = await nextWrite()
  expect(second.body.metadata.resourceVersion).toBe('newer')
  second.request.reply(200, {})
})

it('writes nothing about a newer form than the one it knows, and follows when that one comes', async () => {
  apply(split(1, 4))
  await answerDiscovery()
  await answerRead(split(2, 5))
  apply(split(2, 5))
  await answerRead(split(2, 5))
  const { request, body } = await nextWrite()
  expect(body.status.conditions[0]).toMatchObject({ observedGeneration: 5 })
  request.reply(200, {})
})

it('writes nothing where nothing changes, and again when something else does', async () => {
  apply(split(1, 4))
  await answerDiscovery()
  await answerRead(split(1, 4))
  const { request, body } = await nextWrite()
  request.reply(200, {})
  await answerEvent()
  // A change that touches the apex and not what there is to say.
  apply({ ...service('catalog'), metadata: { name: 'other', namespace: 'shop' } })
  apply(service('catalog'), service('v1'))
  await answerRead(split(1, 4, body.status))
  const second = await nextWrite()
  expect(second.body.status.conditions.map(({ status }) => status)).toEqual(['True', 'True', 'True'])
  second.request.reply(200, {})
  await answerEvent()
  apply({ ...service('catalog'), spec: { ports: [{ port: 80 }], clusterIP: '10.96.0.9' } })
  await expectNothingAsked()
})

it('tries again later when the API server fails', async () => {
  apply(split(1, 4))
  await answerDiscovery()
  ;(await server.next()).reply(500, {})
  await expect.poll(() => clock.pending).toBe(1)
  clock.advance(200)
  await answerRead(split(1, 4))
  ;(await nextWrite()).request.reply(200, {})
})

it('leaves everything to the replica that leads, and looks at all when it leads itself', async () => {
  leads = false
  apply(split(1, 4))
  await expectNothingAsked()
  leads = true
  writer.lookAtAll()
  await answerDiscovery()
  await answerRead(split(1, 4))
  ;(await nextWrite()).request.reply(200, {})
})

it('tells in an Event of what is wrong, once, and when it is right again', async () => {
  apply(split(1, 4))
  await answerDiscovery()
  await answerRead(split(1, 4))
  const { request, body } = await nextWrite()
  request.reply(200, {})
  expect(await answerEvent()).toMatchObject({
    type: 'Warning',
    reason: 'ApexUnknown',
    involvedObject: { kind: 'TrafficSplit', name: 's', uid: 'u', apiVersion: 'split.smi-spec.io/v1alpha4' },
  })
  // As a rollout does it: the weights change, and what is wrong stays as it is.
  for (let generation = 5; generation < 25; generation++) {
    apply(split(generation, generation))
    await answerRead(split(generation, generation, body.status))
    ;(await nextWrite()).request.reply(200, {})
  }
  await expectNothingAsked()
  apply(service('catalog'), service('v1'))
  await answerRead(split(24, 24, body.status))
  ;(await nextWrite()).request.reply(200, {})
  expect(await answerEvent()).toMatchObject({ type: 'Normal', reason: 'Resolved' })
})

/** What the API server has, and the mesh does not take. */
function refusalOf(object: object): Refusal {
  const found: Refusal[] = []
  new ObjectStore((refusal) => found.push(refusal)).put(object)
  return found[0] as Refusal
}

it('says in the status of a split that is refused what is wrong, in an Event too, and when it is good again', async () => {
  apply(service('catalog'), service('v1'), split(1, 4))
  await answerDiscovery()
  await answerRead(split(1, 4))
  const { request, body } = await nextWrite()
  request.reply(200, {})
  const twice = [1, 2].map((weight) => ({ service: 'v1', weight }))
  const broken = { ...split(1, 5, body.status), spec: { service: 'catalog', backends: twice } }
  writer.refuse(refusalOf(broken))
  await answerRead(broken)
  const second = await nextWrite()
  const wrong = { status: 'False', reason: 'Invalid', observedGeneration: 5 }
  expect(second.body.status.conditions).toEqual([
    expect.objectContaining({ type: 'ResolvedRefs', status: 'True', observedGeneration: 4 }),
    expect.objectContaining({
      ...wrong,
      type: 'Accepted',
      message: "spec.backends[1].service: 'v1' is named twice; what it was before stays in force",
    }),
    expect.objectContaining({ ...wrong, type: 'Programmed' }),
  ])
  second.request.reply(200, {})
  expect(await answerEvent()).toMatchObject({
    type: 'Warning',
    reason: 'Invalid',
    involvedObject: { kind: 'TrafficSplit', name: 's', uid: 'u' },
  })
  apply(split(1, 6))
  await answerRead(split(1, 6, second.body.status))
  const third = await nextWrite()
  expect(third.body.status.conditions.map(({ status }) => status)).toEqual(['True', 'True', 'True'])
  third.request.reply(200, {})
  expect(await answerEvent()).toMatchObject({ type: 'Normal', reason: 'Resolved' })
})

it('tells in an Event of what is refused and has no status, and of all that is when it begins to lead', async () => {
  const annotations = { 'timeout.weft.dev/request': 'soon' }
  const metadata = { name: 'catalog', namespace: 'shop', uid: 'su', annotations }
  const refusal = refusalOf({ ...service('catalog'), metadata })
  leads = false
  writer.refuse(refusal)
  await expectNothingAsked()
  leads = true
  refusals = [refusal]
  writer.lookAtAll()
  expect(await answerEvent()).toMatchObject({
    type: 'Warning',
    reason: 'Invalid',
    message: expect.stringContaining('timeout.weft.dev/request') as string,
    involvedObject: { apiVersion: 'v1', kind: 'Service', name: 'catalog', uid: 'su' },
  })
})

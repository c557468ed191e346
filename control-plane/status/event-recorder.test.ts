import { afterEach, beforeEach, expect, it } from 'vitest'
import { createLog } from '../../core/log.ts'
import { ManualClock } from '../../core/manual-clock.ts'
import { KubernetesClient } from '../../core/kubernetes/api-client.ts'
import {
  type ScriptedApiServer,
  startScriptedApiServer,
} from '../providers/kubernetes/scripted-api-server.ts'
import { EventRecorder } from './event-recorder.ts'
import type { StatusEvent } from './status-events.ts'

const path = '/api/v1/namespaces/shop/events'
const split = { apiVersion: 'a/v1', kind: 'TrafficSplit', namespace: 'shop', name: 's', uid: 'u' }
const warning: StatusEvent = { type: 'Warning', reason: 'ApexUnknown', message: 'm' }

let server: ScriptedApiServer
let client: KubernetesClient
let recorder: EventRecorder

beforeEach(async () => {
  server = await startScriptedApiServer()
  const clock = new ManualClock()
  client = new KubernetesClient(server.connection, clock)
  const log = createLog({ process: 'test', level: 'silent' })
  recorder = new EventRecorder({ client, clock, log, identity: 'replica' })
})

afterEach(async () => {
  client.close()
  await server.stop()
})

type Event = {
  readonly metadata: { readonly name: string }
  readonly message: string
  readonly count: number
}

it('counts what is said again, also what another replica said first', async () => {
  const recorded = recorder.record(split, [warning])
  const post = await server.next()
  expect([post.method, post.path]).toEqual(['POST', path])
  const { metadata } = JSON.parse(post.body) as Event
  post.reply(409, {})
  const get = await server.next()
  expect([get.method, get.path]).toEqual(['GET', `${path}/${metadata.name}`])
  get.reply(200, {
    metadata: { name: metadata.name, resourceVersion: '9' },
    count: 3,
    firstTimestamp: 'then',
  })
  const put = await server.next()
  expect([put.method, put.path]).toEqual(['PUT', `${path}/${metadata.name}`])
  expect(JSON.parse(put.body)).toMatchObject({
    metadata: { resourceVersion: '9' },
    count: 4,
    firstTimestamp: 'then',
  })
  put.reply(200, {})
  await recorded
})

it('fits long names and messages into what the API takes', async () => {
  const recorded = recorder.record({ ...split, name: `${'x'.repeat(199)}-${'y'.repeat(53)}` }, [
    { ...warning, message: 'm'.repeat(5_000) },
  ])
  const post = await server.next()
  const { metadata, message } = JSON.parse(post.body) as Event
  expect(metadata.name).toMatch(/^x{199}\.[0-9a-f]{16}$/)
  expect(message).toHaveLength(1024)
  post.reply(201, {})
  await recorded
})

it('goes on with the next when one is refused', async () => {
  const recorded = recorder.record(split, [warning, { ...warning, message: 'other' }])
  ;(await server.next()).reply(403, {})
  const second = await server.next()
  expect(JSON.parse(second.body)).toMatchObject({ message: 'other' })
  second.reply(201, {})
  await recorded
})

it('writes no more about an object than ten in one go', async () => {
  const many = Array.from({ length: 30 }, (_, i) => ({ ...warning, message: `${i}` }))
  const recorded = recorder.record(split, many)
  for (let i = 0; i < 10; i++) (await server.next()).reply(201, {})
  await recorded
  const asked = client.request('GET', '/marker')
  const marker = await server.next()
  expect(marker.path).toBe('/marker')
  marker.reply(200, {})
  await asked
})

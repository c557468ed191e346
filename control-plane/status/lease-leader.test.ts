import { afterEach, beforeEach, expect, it } from 'vitest'
import { createLog } from '../../core/log.ts'
import { ManualClock } from '../../core/manual-clock.ts'
import { KubernetesClient } from '../../core/kubernetes/api-client.ts'
import {
  type ScriptedApiServer,
  type ScriptedRequest,
  startScriptedApiServer,
} from '../providers/kubernetes/scripted-api-server.ts'
import { LeaseLeader } from './lease-leader.ts'

const path = '/apis/coordination.k8s.io/v1/namespaces/weft/leases'

let server: ScriptedApiServer
let clock: ManualClock
let leader: LeaseLeader
let elections: number

beforeEach(async () => {
  server = await startScriptedApiServer()
  clock = new ManualClock()
  elections = 0
  leader = new LeaseLeader({
    // A clock of its own: what waits on the other one is the leader itself.
    client: new KubernetesClient(server.connection, new ManualClock()),
    clock,
    log: createLog({ process: 'test', level: 'silent' }),
    namespace: 'weft',
    name: 'lease',
    identity: 'me',
    onElected: () => elections++,
  })
  leader.start()
})

afterEach(async () => {
  const stopped = leader.stop()
  await server.stop()
  await stopped
})

const lease = (holderIdentity: string, renewTime: string) => ({
  metadata: { name: 'lease', resourceVersion: '5' },
  spec: { holderIdentity, renewTime, leaseDurationSeconds: 15, leaseTransitions: 3 },
})

type Written = { readonly metadata: object; readonly spec: Readonly<Record<string, unknown>> }

async function nextWrite(): Promise<{ readonly request: ScriptedRequest; readonly body: Written }> {
  const request = await server.next()
  return { request, body: JSON.parse(request.body) as Written }
}

/** What is under way comes to rest, then time passes. */
async function later(ms: number): Promise<void> {
  await expect.poll(() => clock.pending).toBe(1)
  await clock.advanceAsync(ms)
}

async function elected(): Promise<void> {
  ;(await server.next()).reply(404, {})
  const { request, body } = await nextWrite()
  expect([request.path, body.spec['holderIdentity']]).toEqual([path, 'me'])
  request.reply(201, {})
  await expect.poll(() => leader.leads).toBe(true)
}

it('leads once it has made the Lease, and is told so once', async () => {
  await elected()
  await later(5_000)
  ;(await server.next()).reply(200, lease('me', 'a'))
  const { request, body } = await nextWrite()
  expect([body.metadata, body.spec['leaseTransitions']]).toEqual([lease('', '').metadata, 3])
  request.reply(200, {})
  await later(1)
  expect([leader.leads, elections]).toEqual([true, 1])
})

it('does not lead when another was faster', async () => {
  ;(await server.next()).reply(404, {})
  ;(await nextWrite()).request.reply(409, {})
  await later(1)
  expect([leader.leads, elections]).toEqual([false, 0])
})

it('takes over from one that shows no sign of life for as long as its Lease says, by our own clock', async () => {
  for (let i = 0; i < 4; i++) {
    // Their clock is an hour behind.
    ;(await server.next()).reply(200, lease('other', '2025-12-31T23:00:00Z'))
    await later(5_000)
    expect(leader.leads).toBe(false)
  }
  ;(await server.next()).reply(200, lease('other', '2025-12-31T23:00:00Z'))
  const { request, body } = await nextWrite()
  expect(body.spec).toMatchObject({ holderIdentity: 'me', leaseTransitions: 4 })
  request.reply(200, {})
  await expect.poll(() => leader.leads).toBe(true)
})

it('leaves the Lease to one that renews it', async () => {
  for (let i = 0; i < 6; i++) {
    ;(await server.next()).reply(200, lease('other', `renewal ${i}`))
    await later(5_000)
  }
  expect((await server.next()).path).toBe(`${path}/lease`)
  expect(leader.leads).toBe(false)
})

it('stops leading before the others may take over, when it cannot renew', async () => {
  await elected()
  await later(5_000)
  // Nobody answers.
  const unanswered = await server.next()
  await clock.advanceAsync(5_000)
  expect(leader.leads).toBe(false)
  unanswered.destroy()
})

it('gives the Lease back when it stops', async () => {
  await elected()
  await expect.poll(() => clock.pending).toBe(1)
  const stopped = leader.stop()
  ;(await server.next()).reply(200, lease('me', 'a'))
  const { request, body } = await nextWrite()
  expect(body.spec['holderIdentity']).toBe('')
  request.reply(200, {})
  await stopped
})

import { afterEach, beforeEach, expect, it } from 'vitest'
import { createLog } from '../../../core/log.ts'
import { ManualClock } from '../../../core/manual-clock.ts'
import { KubernetesClient } from '../../../core/kubernetes/api-client.ts'
import type { Change } from '../../model/objects.ts'
import { namespaces } from './kinds/namespaces.ts'
import { services } from './kinds/services.ts'
import { KubernetesProvider } from './kubernetes-provider.ts'
import { type ScriptedApiServer, startScriptedApiServer } from './scripted-api-server.ts'

let server: ScriptedApiServer
let provider: KubernetesProvider
let batches: (readonly Change[])[]

beforeEach(async () => {
  server = await startScriptedApiServer()
  batches = []
  const clock = new ManualClock()
  provider = new KubernetesProvider({
    client: new KubernetesClient(server.connection, clock),
    clock,
    log: createLog({ process: 'test', level: 'silent' }),
    kinds: [namespaces, services],
    onChanges: (changes) => batches.push(changes),
    onRefused: () => undefined,
  })
})

afterEach(async () => {
  const stopped = provider.stop()
  await server.stop()
  await stopped
})

it('hands out everything in one piece when every kind is there, and then each change by itself', async () => {
  let started = false
  const starting = provider.start().then(() => {
    started = true
  })
  const lists = new Map<string, Awaited<ReturnType<typeof server.next>>>()
  for (let i = 0; i < 2; i++) {
    const request = await server.next()
    lists.set(request.path, request)
  }
  const namespace = { metadata: { name: 'shop', resourceVersion: '1' } }
  lists.get('/api/v1/namespaces')?.reply(200, { metadata: { resourceVersion: '5' }, items: [namespace] })
  const watch = await server.next()
  watch.stream({
    type: 'ADDED',
    object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'more', resourceVersion: '6' } },
  })
  expect(provider.missing).toEqual(['services'])
  const service = { metadata: { name: 'web', namespace: 'shop', resourceVersion: '2' }, spec: { ports: [] } }
  lists.get('/api/v1/services')?.reply(200, { metadata: { resourceVersion: '5' }, items: [service] })
  await starting
  expect([started, provider.missing]).toEqual([true, []])
  expect(batches).toHaveLength(1)
  expect(batches[0]?.map(({ key }) => key)).toEqual(expect.arrayContaining(['shop', 'shop/web']))
  watch.stream({
    type: 'DELETED',
    object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', resourceVersion: '7' } },
  })
  await expect.poll(() => batches.at(-1)).toEqual([{ kind: 'namespace', key: 'shop', value: undefined }])
})

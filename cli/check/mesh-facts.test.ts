import { expect, test } from 'vitest'
import type { MeshAccess, Page } from '../reach/mesh-access.ts'
import { gatherMesh } from './mesh-facts.ts'

const page = (body: unknown): Page => ({ status: 200, text: JSON.stringify(body) })
const workload = (pod: string) => ({ namespace: 'shop', pod, sidecar: { pod } })
const pages: Readonly<Record<string, unknown>> = {
  '/ready': {},
  '/identity': {},
  '/findings': { findings: [], refused: [] },
  '/access/summary': { strict: [] },
  '/services': { services: [{ namespace: 'shop', name: 'app', ports: [], pods: ['app'] }] },
  '/splits': { splits: [] },
  '/clients': [],
  '/sidecars': { sidecars: [workload('app'), workload('client')] },
}
const refused = { address: '127.0.0.1:9001', failure: { code: 'UPSTREAM_CONNECT_FAILED', reason: 'refused' } }

test('applications are tried only behind the sidecars of pods that a Service leads to', async () => {
  const access: MeshAccess = {
    controlPlane: (path) => Promise.resolve(page(pages[path])),
    controlPlanes: (path) => Promise.resolve([page(pages[path])]),
    changeControlPlane: () => Promise.reject(new Error('nothing is to be changed')),
    sidecar: (_sidecar, method) =>
      Promise.resolve(
        page(
          method === 'POST' ? { application: refused } : { inbound: [{ listen: {}, applicationPort: 9001 }] },
        ),
      ),
    close: () => undefined,
  }
  const facts = await gatherMesh(access, true)
  const deaf = facts.reached
    ? [...facts.answers].map(([key, answer]) => [key, answer.deaf.length] as const)
    : []
  expect(new Map(deaf)).toEqual(
    new Map([
      ['shop/app', 1],
      ['shop/client', 0],
    ]),
  )
})

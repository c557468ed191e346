import { expect, test } from 'vitest'
import { ObjectStore } from './object-store.ts'

function inject(spec: object, annotations: object = {}): unknown {
  const store = new ObjectStore(() => undefined)
  const metadata = { name: 'web', namespace: 'shop', annotations }
  const [change] = store.put({ apiVersion: 'v1', kind: 'Pod', metadata, spec })
  return change?.kind === 'workload' ? change.value?.inject : undefined
}

const app = { name: 'app' }
const sidecar = { name: 'weft-proxy' }

test('a pod is of the mesh by its sidecar, wherever that stands', () => {
  expect(inject({ containers: [sidecar, app] })).toBe(true)
  expect(inject({ containers: [app], initContainers: [{ name: 'weft-init' }, sidecar] })).toBe(true)
})

test('a pod that was to have one and has none is not, whatever it or its namespace asks for', () => {
  expect(inject({ containers: [app] }, { 'weft.dev/inject': 'enabled' })).toBe(false)
  expect(inject({ containers: [app], hostNetwork: true })).toBe(false)
})

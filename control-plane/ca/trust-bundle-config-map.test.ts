import { expect, test } from 'vitest'
import { publishTrustBundle } from './trust-bundle-config-map.ts'

const where = { namespace: 'weft', name: 'weft-trust-bundle' }
type Object = { metadata: { resourceVersion: string }; data?: Record<string, string> }

/** One ConfigMap with optimistic locking; `meanwhile` is somebody else's write before ours. */
function server(first: Object | undefined, meanwhile?: () => void) {
  const state = { object: first, writes: 0 }
  const api = {
    request: (method: string, _path: string, body?: object) => {
      if (state.object === undefined) return Promise.resolve({ status: 404, body: { message: 'not found' } })
      if (method === 'PUT') {
        if (state.writes++ === 0) meanwhile?.()
        const written = body as Object
        if (written.metadata.resourceVersion !== state.object.metadata.resourceVersion)
          return Promise.resolve({ status: 409, body: {} })
        state.object = { ...written, metadata: { resourceVersion: `${state.writes}` } }
      }
      return Promise.resolve({ status: 200, body: state.object })
    },
  }
  return { api, state }
}

test('an empty ConfigMap is filled, and what else is in it stays', async () => {
  const { api, state } = server({ metadata: { resourceVersion: 'a' }, data: { note: 'kept' } })
  await publishTrustBundle(api, where, 'PEM')
  expect(state.object?.data).toEqual({ note: 'kept', 'root-cert.pem': 'PEM' })
})

test('what is there already is not written again', async () => {
  const { api, state } = server({ metadata: { resourceVersion: 'a' }, data: { 'root-cert.pem': 'PEM' } })
  await publishTrustBundle(api, where, 'PEM')
  expect(state.writes).toBe(0)
})

test("somebody else's write in between is not undone", async () => {
  const { api, state } = server({ metadata: { resourceVersion: 'a' } }, () => {
    state.object = { metadata: { resourceVersion: 'b' }, data: { other: 'new' } }
  })
  await publishTrustBundle(api, where, 'PEM')
  expect(state.object?.data).toEqual({ other: 'new', 'root-cert.pem': 'PEM' })
})

test('one that is not there is told', async () => {
  const { api } = server(undefined)
  await expect(publishTrustBundle(api, where, 'PEM')).rejects.toMatchObject({
    code: 'KUBERNETES_FAILED',
    message: 'reading ConfigMap weft/weft-trust-bundle: 404 not found',
  })
})

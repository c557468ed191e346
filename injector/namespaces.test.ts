import { expect, test } from 'vitest'
import { ManualClock } from '../core/manual-clock.ts'
import type { ApiReply } from '../core/kubernetes/api-client.ts'
import { Namespaces } from './namespaces.ts'

type Answer = Pick<ApiReply, 'status' | 'body'>

function asked(...replies: Answer[]) {
  const clock = new ManualClock()
  const paths: string[] = []
  const api = {
    request: (_method: string, path: string) => {
      paths.push(path)
      const answer = (replies.length > 1 ? replies.shift() : replies[0]) as Answer
      return Promise.resolve({ ...answer, retryAfterMs: undefined })
    },
  }
  return { clock, paths, namespaces: new Namespaces(api, clock) }
}

const named = (value: string): Answer => ({
  status: 200,
  body: { metadata: { annotations: { 'weft.dev/inject': value } } },
})

test('an annotation that was just set counts within a second', async () => {
  const { clock, paths, namespaces } = asked(named('disabled'), named('enabled'))
  const value = async () => (await namespaces.of('shop')).annotations['weft.dev/inject']
  expect([await value(), await value()]).toEqual(['disabled', 'disabled'])
  clock.advance(1_000)
  expect(await value()).toBe('enabled')
  expect(paths).toEqual(['/api/v1/namespaces/shop', '/api/v1/namespaces/shop'])
})

test('a failure is told with what the API server says, and is not remembered', async () => {
  const { namespaces } = asked({ status: 403, body: { message: 'forbidden' } }, named('enabled'))
  await expect(namespaces.of('shop')).rejects.toMatchObject({
    code: 'KUBERNETES_REFUSED',
    message: 'reading namespace shop: 403 forbidden',
  })
  expect((await namespaces.of('shop')).annotations).toEqual({ 'weft.dev/inject': 'enabled' })
})

test('a namespace without labels and annotations has none, and its name cannot lead elsewhere', async () => {
  const { namespaces, paths } = asked({ status: 200, body: {} })
  expect(await namespaces.of('../secrets')).toEqual({ annotations: {}, labels: {} })
  expect(paths).toEqual(['/api/v1/namespaces/..%2Fsecrets'])
})

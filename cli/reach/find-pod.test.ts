import { expect, test } from 'vitest'
import { podMeant } from './find-pod.ts'

const sidecar = (namespace: string, name: string, pod: string) => ({
  workload: { namespace, name, kind: 'Deployment' },
  pod,
})
const sidecars = [
  sidecar('shop', 'web', 'web-5d4f'),
  sidecar('shop', 'catalog', 'catalog-0'),
  sidecar('test', 'catalog', 'catalog-0'),
  sidecar('test', 'web', 'web-7c9a'),
]

test.each([
  ['shop/web-5d4f', undefined, 'shop/web-5d4f'],
  ['shop/nobody', undefined, 'shop/nobody'],
  ['web-5d4f', undefined, 'shop/web-5d4f'],
  ['web-5d4f', 'test', 'test/web-5d4f'],
  ['catalog-0', 'test', 'test/catalog-0'],
  ['pod/web-7c9a', undefined, 'test/web-7c9a'],
  ['deploy/web', undefined, 'shop/web-5d4f'],
  ['deployment/web', 'test', 'test/web-7c9a'],
])('%s, in namespace %s, is %s', (text, namespace, meant) => {
  expect(podMeant(text, namespace, sidecars)).toBe(meant)
})

test('a pod without a sidecar is taken as it is named, in namespace default', () => {
  expect(podMeant('plain', undefined, sidecars)).toBe('default/plain')
})

test('of several pods of one name the namespace has to be said', () => {
  expect(() => podMeant('catalog-0', undefined, sidecars)).toThrow(
    "'catalog-0' may be shop/catalog-0 or test/catalog-0: say which one with -n",
  )
})

test('a workload without a connected sidecar is not known', () => {
  expect(() => podMeant('deploy/nobody', 'shop', sidecars)).toThrow(
    'no sidecar of deploy/nobody in namespace shop is connected',
  )
})

test.each(['', '/web', 'shop/', 'a/b/c'])('%j is no pod', (text) => {
  expect(() => podMeant(text, undefined, sidecars)).toThrow('is not like POD')
})

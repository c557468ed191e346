import { expect, test } from 'vitest'
import { convertObject } from './convert.ts'

function convert(schemes: object | undefined) {
  return convertObject({
    apiVersion: 'access.smi-spec.io/v1alpha4',
    kind: 'IdentityBinding',
    metadata: { name: 'b', namespace: 'shop' },
    spec: { schemes },
  })
}

test('an IdentityBinding has its pods, ids and ServiceAccount, ids with their scheme or without', () => {
  const ids = ['cluster.local/ns/shop/sa/web', 'spiffe://other.test/a/b']
  const selector = { name: 'pods', matchLabels: { app: 'web' } }
  expect(convert({ podLabelSelectors: [selector], spiffeIdentities: ids })).toMatchObject({
    change: {
      kind: 'identityBinding',
      key: 'shop/b',
      value: {
        podLabels: [{ app: 'web' }],
        spiffeIds: ['spiffe://cluster.local/ns/shop/sa/web', 'spiffe://other.test/a/b'],
        serviceAccount: undefined,
      },
    },
  })
  expect(convert({ serviceAccount: 'web' })).toMatchObject({
    change: { value: { podLabels: [], spiffeIds: [], serviceAccount: 'web' } },
  })
})

test.each<[string, object | undefined, string]>([
  ['no schemes', undefined, 'is required'],
  ['a selector of everything', { podLabelSelectors: [{ matchLabels: {} }] }, 'must name a label'],
  ['a scheme that is none', { podLabelSelector: { app: 'web' } }, 'is not known'],
  ['an id that is none', { spiffeIdentities: ['web'] }, 'must be a SPIFFE id'],
  [
    'both of what exclude each other',
    { podLabelSelectors: [{ matchLabels: { a: 'b' } }], serviceAccount: 'web' },
    'has either',
  ],
])('with %s it is refused', (_, schemes, problem) => {
  const refused = convert(schemes)
  expect(refused.outcome).toBe('refused')
  expect(JSON.stringify(refused)).toContain(problem)
})

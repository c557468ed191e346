import { expect, test } from 'vitest'
import { convertObject } from './convert.ts'

function changeOf(kind: string, metadata: object, spec: object = {}) {
  const converted = convertObject({ apiVersion: 'v1', kind, metadata: { name: 'x', ...metadata }, spec })
  return converted.outcome === 'converted' ? converted.change : converted
}

test('a node is where its label says, or nowhere', () => {
  const labels = { 'topology.kubernetes.io/zone': 'zone-a' }
  expect(changeOf('Node', { labels })).toEqual({
    kind: 'node',
    key: 'x',
    value: { name: 'x', zone: 'zone-a' },
  })
  expect(changeOf('Node', {})).toMatchObject({ value: { zone: '' } })
})

test('a pod is on the node that it was bound to, and on none before', () => {
  expect(changeOf('Pod', { namespace: 'shop' }, { nodeName: 'n' })).toMatchObject({ value: { node: 'n' } })
  expect(changeOf('Pod', { namespace: 'shop' })).toMatchObject({ value: { node: undefined } })
})

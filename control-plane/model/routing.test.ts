import { expect, test } from 'vitest'
import { MeshModel } from './mesh-model.ts'
import type { Change } from './objects.ts'
import { routingOf } from './routing.ts'
import { route, service, split } from './test-objects.ts'

function routing(...changes: readonly Change[]) {
  const model = new MeshModel()
  model.apply([service('catalog'), service('catalog-v1'), service('catalog-v2'), ...changes])
  const apex = model.service('shop/catalog')
  if (apex === undefined) throw new Error('no apex')
  const { rules, findings } = routingOf(model, apex, 8080)
  const weights = rules.map((rule) =>
    Object.fromEntries(rule.backends.map(({ backend, weight }) => [backend?.key ?? 'invalid', weight])),
  )
  return { weights, codes: findings.map((finding) => finding.code) }
}

test('a route beats a split, and a backend that does not exist keeps its share', () => {
  expect(routing(split('s', { 'catalog-v2': 1 }), route('r', 'catalog', ['catalog-v1', 'ghost']))).toEqual({
    weights: [{ 'shop/catalog-v1': 1, invalid: 1 }],
    codes: ['BACKEND_UNKNOWN'],
  })
})

import { describe, expect, test } from 'vitest'
import { MeshModel } from './mesh-model.ts'
import type { Change } from './objects.ts'
import { reduceWeights, routingOf } from './routing.ts'
import { removed, route, service, split } from './test-objects.ts'

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

describe('a TrafficSplit', () => {
  test('gives each backend its share, in the smallest whole numbers', () => {
    const { weights } = routing(split('s', { 'catalog-v1': 500, 'catalog-v2': 1500 }))
    expect(weights).toEqual([{ 'shop/catalog-v1': 1, 'shop/catalog-v2': 3 }])
  })
  test('gives nothing to a zero weight', () => {
    expect(routing(split('s', { 'catalog-v1': 0, 'catalog-v2': 1000 })).weights).toEqual([
      { 'shop/catalog-v2': 1 },
    ])
  })
  test('leaves out a backend that is no Service, or has not the port, and says so', () => {
    const { weights, codes } = routing(
      service('other', 9),
      split('s', { 'catalog-v1': 1, ghost: 1, other: 1 }),
    )
    expect(weights).toEqual([{ 'shop/catalog-v1': 1 }])
    expect(codes).toEqual(['BACKEND_UNKNOWN', 'BACKEND_WITHOUT_PORT'])
  })
  test('sends to the apex itself when all weights are zero or nobody is left', () => {
    expect(routing(split('s', { 'catalog-v1': 0 })).weights).toEqual([{ 'shop/catalog': 1 }])
    expect(routing(split('s', { ghost: 1 })).codes).toContain('SPLIT_WITHOUT_TRAFFIC')
  })
  test('the oldest of several for one apex wins, then the name', () => {
    const younger = split('a', { 'catalog-v1': 1 }, 2000)
    const older = split('b', { 'catalog-v2': 1 }, 1000)
    expect(routing(younger, older)).toEqual({
      weights: [{ 'shop/catalog-v2': 1 }],
      codes: ['SPLIT_OVERRULED'],
    })
    expect(routing(split('b', { 'catalog-v2': 1 }), split('a', { 'catalog-v1': 1 })).weights).toEqual([
      { 'shop/catalog-v1': 1 },
    ])
  })
  test('an apex among its own backends means its own endpoints', () => {
    expect(routing(split('s', { catalog: 1, 'catalog-v2': 1 })).weights).toEqual([
      { 'shop/catalog': 1, 'shop/catalog-v2': 1 },
    ])
  })
  test('is gone when it is removed', () => {
    const gone = removed(split('s', {}))
    expect(routing(split('s', { 'catalog-v2': 1 }), gone).weights).toEqual([{ 'shop/catalog': 1 }])
  })
})

test('a route beats a split, and a backend that does not exist keeps its share', () => {
  expect(routing(split('s', { 'catalog-v2': 1 }), route('r', 'catalog', ['catalog-v1', 'ghost']))).toEqual({
    weights: [{ 'shop/catalog-v1': 1, invalid: 1 }],
    codes: ['BACKEND_UNKNOWN'],
  })
})

test('weights are reduced by their greatest common divisor', () => {
  expect(reduceWeights([90_000, 10_000])).toEqual([9, 1])
  expect(reduceWeights([7, 3])).toEqual([7, 3])
})

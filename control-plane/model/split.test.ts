import { describe, expect, test } from 'vitest'
import { MeshModel } from './mesh-model.ts'
import type { Change } from './objects.ts'
import { routingOf } from './routing.ts'
import type { Rule } from './rule.ts'
import { removed, routeGroup, service, split } from './test-objects.ts'

function rulesOf(...changes: readonly Change[]): readonly Rule[] {
  const model = new MeshModel()
  model.apply([service('catalog'), service('catalog-v1'), service('catalog-v2'), ...changes])
  const apex = model.service('shop/catalog')
  if (apex === undefined) throw new Error('no apex')
  return routingOf(model, apex, 8080).rules
}

const weightsOf = ({ backends }: Rule): Record<string, number> =>
  Object.fromEntries(backends.map(({ backend, weight }) => [backend?.key ?? 'invalid', weight]))

/** Of the one rule that there is without matches. */
function weights(...changes: readonly Change[]): Record<string, number> {
  const [rule, ...others] = rulesOf(...changes)
  if (rule === undefined || others.length > 0 || rule.match !== undefined) throw new Error('not one rule')
  return weightsOf(rule)
}

describe('the shares of a split', () => {
  test('are the smallest whole numbers of the same proportions', () => {
    expect(weights(split('s', { 'catalog-v1': 500, 'catalog-v2': 1500 }))).toEqual({
      'shop/catalog-v1': 1,
      'shop/catalog-v2': 3,
    })
  })
  test('are zero for a zero weight, whose backend stays known', () => {
    expect(weights(split('s', { 'catalog-v1': 0, 'catalog-v2': 1000 }))).toEqual({
      'shop/catalog-v1': 0,
      'shop/catalog-v2': 1,
    })
  })
  test('leave out a backend that is no Service, or has not the port', () => {
    const both = split('s', { 'catalog-v1': 1, ghost: 1, other: 1 })
    expect(weights(service('other', 9), both)).toEqual({ 'shop/catalog-v1': 1 })
  })
  test('are the apex itself when all weights are zero or nobody is left', () => {
    expect(weights(split('s', { 'catalog-v1': 0, 'catalog-v2': 0 }))).toEqual({ 'shop/catalog': 1 })
    expect(weights(split('s', { ghost: 1 }))).toEqual({ 'shop/catalog': 1 })
    expect(weights(split('s', { ghost: 1, 'catalog-v1': 0 }))).toEqual({ 'shop/catalog': 1 })
  })
  test('are those of the oldest of several for one apex, then of the first by name', () => {
    const [younger, older] = [split('a', { 'catalog-v1': 1 }, 2000), split('b', { 'catalog-v2': 1 }, 1000)]
    expect(weights(younger, older)).toEqual({ 'shop/catalog-v2': 1 })
    const [second, first] = [split('b', { 'catalog-v2': 1 }, 7), split('a', { 'catalog-v1': 1 }, 7)]
    expect(weights(second, first)).toEqual({ 'shop/catalog-v1': 1 })
  })
  test('can be of the apex, which means its own endpoints', () => {
    expect(weights(split('s', { catalog: 1, 'catalog-v2': 1 }))).toEqual({
      'shop/catalog': 1,
      'shop/catalog-v2': 1,
    })
  })
  test('do not follow the split of a backend', () => {
    const below = split('below', { 'catalog-v2': 1 }, 1, { apex: 'catalog-v1' })
    expect(weights(split('s', { 'catalog-v1': 1 }), below)).toEqual({ 'shop/catalog-v1': 1 })
  })
  test('are gone when it is removed', () => {
    expect(weights(split('s', { 'catalog-v2': 1 }), removed(split('s', {})))).toEqual({ 'shop/catalog': 1 })
  })
})

describe('a split with matches', () => {
  const abTest = split('s', { 'catalog-v2': 1 }, 0, { matches: ['beta'] })

  test('splits what one of its matches matches; the rest goes to the apex', () => {
    const group = routeGroup(
      'beta',
      {
        pathRegex: '/api',
        methods: ['GET', 'HEAD'],
        headers: [{ name: 'x-beta', value: 'yes', regex: true }],
      },
      {},
    )
    const rules = rulesOf(group, abTest)
    expect(rules.map(({ match }) => match && [match.method, match.path, match.headers.length])).toEqual([
      ['GET', { kind: 'regex', value: '(?:/api).*' }, 1],
      ['HEAD', { kind: 'regex', value: '(?:/api).*' }, 1],
      [undefined, { kind: 'prefix', value: '/' }, 0],
      undefined,
    ])
    expect(rules.map(weightsOf)).toEqual([
      ...[1, 2, 3].map(() => ({ 'shop/catalog-v2': 1 })),
      { 'shop/catalog': 1 },
    ])
  })
  test('splits nothing while its group does not exist', () => {
    expect(rulesOf(abTest).map(weightsOf)).toEqual([{ 'shop/catalog': 1 }])
  })
  test('is looked at anew when its group changes', () => {
    const model = new MeshModel()
    model.apply([service('catalog'), abTest])
    expect(model.apply([routeGroup('beta', {})])).toMatchObject({
      services: new Set(['shop/catalog']),
      routing: true,
    })
    expect(model.apply([routeGroup('other', {})]).services).toEqual(new Set())
  })
})

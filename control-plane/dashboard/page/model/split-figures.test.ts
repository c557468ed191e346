import { expect, test } from 'vitest'
import type { SplitPage } from '../../../status/split-journal.ts'
import { splitFigures } from './split-figures.ts'
import { edge, mesh, service } from './test-mesh.ts'

const catalog = { namespace: 'shop', name: 'catalog' }

function split(servedBy: SplitPage['ports'][number]['servedBy'] = 'split'): SplitPage {
  const backend = (name: string, sharePercent: number, leftOut?: 'NoReadyEndpoint') => ({
    service: name,
    weightMilli: sharePercent * 1000,
    readyEndpoints: 1,
    sharePercent,
    leftOut,
  })
  const backends = [backend('v1', 75), backend('v2', 25), backend('v3', 0, 'NoReadyEndpoint')]
  return {
    namespace: 'shop',
    name: 'canary',
    apex: 'catalog',
    matches: [],
    conditions: [],
    events: [],
    ports: [{ port: 8080, servedBy, backends }],
  }
}

test('what is configured and what is observed stand side by side, over all clients', () => {
  const live = mesh([
    edge(['web', 'catalog', 'v1'], { requestsPerSecond: 50 }),
    edge(['app', 'catalog', 'v1'], { requestsPerSecond: 20 }),
    edge(['web', 'catalog', 'v2'], { requestsPerSecond: 30 }),
    edge(['web', 'other'], { requestsPerSecond: 900 }),
  ])
  const [card] = splitFigures(catalog, live, [split()], [])
  expect(card?.object).toBe('TrafficSplit shop/canary')
  expect(card?.backends.map(({ name, configured, observed }) => [name, configured, observed])).toEqual([
    ['v1', 0.75, 0.7],
    ['v2', 0.25, 0.3],
    ['v3', 0, 0],
  ])
  expect(card?.backends[2]?.remark).toBe('no ready endpoint, its share goes to the others')
})

test('without a request nothing was observed', () => {
  const [card] = splitFigures(catalog, mesh([]), [split()], [])
  expect(card?.backends.map(({ observed }) => observed)).toEqual([null, null, null])
})

test('a backend that only the traffic knows is shown as not configured', () => {
  const live = mesh([edge(['web', 'catalog', 'v0'], { requestsPerSecond: 4 })])
  const [card] = splitFigures(catalog, live, [split()], [])
  expect(card?.backends.at(-1)).toMatchObject({ name: 'v0', observed: 1, remark: 'not configured' })
})

test('a split that does not decide says who does', () => {
  expect(splitFigures(catalog, mesh([]), [split('route')], [])[0]?.remark).toContain('a route')
})

test('a rule of a route with several backends is a split too, one with a single backend is none', () => {
  const to = (name: string, sharePercent: number) => ({
    namespace: 'shop',
    service: name,
    port: 8080,
    sharePercent,
  })
  const rules = [
    {
      kind: 'HTTPRoute' as const,
      route: 'shop/catalog',
      rule: 'canary',
      backends: [to('v1', 90), to('v2', 10)],
    },
    { kind: 'HTTPRoute' as const, route: 'shop/catalog', rule: '1', backends: [to('v1', 100)] },
  ]
  const cards = splitFigures(catalog, mesh([]), [], [service('catalog', [], rules)])
  expect(cards.map(({ object }) => object)).toEqual(['HTTPRoute shop/catalog, rule canary'])
  expect(cards[0]?.backends.map(({ configured }) => configured)).toEqual([0.9, 0.1])
})

import { expect, test } from 'vitest'
import { candidateNames, parseSearchList } from './search-list.ts'

const kubernetes = parseSearchList(
  'nameserver 10.96.0.10 # ours\nsearch shop.svc.cluster.local svc.cluster.local\noptions ndots:5 timeout:1\n',
)

test('a name with fewer dots than asked for is completed first', () => {
  expect(candidateNames('catalog.shop', kubernetes)).toEqual([
    'catalog.shop.shop.svc.cluster.local',
    'catalog.shop.svc.cluster.local',
    'catalog.shop',
  ])
})

test('a name with as many is tried as it is first, and one with a dot at its end is that alone', () => {
  const one = parseSearchList('search corp.\n')
  expect(candidateNames('example.com', one)).toEqual(['example.com', 'example.com.corp'])
  expect(candidateNames('example.com.', kubernetes)).toEqual(['example.com'])
})

test('without a file names are what they are, and the last of several lists counts', () => {
  expect(candidateNames('db', parseSearchList(''))).toEqual(['db'])
  expect(parseSearchList('search a\ndomain b\noptions ndots:99\n')).toEqual({ domains: ['b'], minDots: 15 })
})

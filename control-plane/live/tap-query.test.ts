import { expect, it } from 'vitest'
import { parseTapQuery } from './tap-query.ts'

it('takes a path with or without its slash, and that of OPTIONS as it is', () => {
  const prefixes = ['', '/orders', 'orders', '*'].map((pathPrefix) => {
    const query = parseTapQuery(new URLSearchParams({ pathPrefix }))
    return typeof query === 'string' ? query : query.filter.pathPrefix
  })
  expect(prefixes).toEqual(['', '/orders', '/orders', '*'])
})

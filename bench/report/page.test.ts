import { expect, test } from 'vitest'
import { coloursOf } from './page.ts'

test('everybody has the same colour in every plot, and a variant one that nobody else has', () => {
  const [haproxy] = coloursOf(['haproxy'])
  const [, again, weft, changing] = coloursOf(['direct', 'haproxy', 'weft', 'weft, changing'])
  expect(again).toBe(haproxy)
  expect(coloursOf(['weft'])).toEqual([weft])
  expect(new Set([haproxy, weft, changing]).size).toBe(3)
})

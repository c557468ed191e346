import { expect, test } from 'vitest'
import { OwnZone } from './own-zone.ts'

test('a zone that was set beats what is told', () => {
  const zone = new OwnZone('a')
  expect([zone.tell('b'), zone.current()]).toEqual([false, 'a'])
})

test('what is told counts until something else is', () => {
  const zone = new OwnZone('')
  expect(zone.current()).toBe('')
  expect([zone.tell('b'), zone.tell('b'), zone.current()]).toEqual([true, false, 'b'])
  expect([zone.tell(undefined), zone.current()]).toEqual([true, ''])
})

import { expect, test } from 'vitest'
import { HeaderList } from '../header-list.ts'
import { headerEditor } from './header-edits.ts'
import type { HeaderEdit } from './route-rule.ts'

function edited(...edits: readonly HeaderEdit[]): string[] {
  const headers = HeaderList.of('X-One', '1', 'x-two', '2', 'X-ONE', '3')
  headerEditor(edits)?.(headers)
  return headers.entries()
}

test('set replaces every occurrence, whatever its case, and adds what is not there', () => {
  expect(edited({ kind: 'set', name: 'X-One', value: 'new' })).toEqual(['X-One', 'new', 'x-two', '2'])
  expect(edited({ kind: 'set', name: 'X-Team', value: 'a' }).slice(-2)).toEqual(['X-Team', 'a'])
})

test('add leaves what is there', () => {
  expect(edited({ kind: 'add', name: 'x-one', value: '4' })).toEqual([
    'X-One',
    '1',
    'x-two',
    '2',
    'X-ONE',
    '3',
    'x-one',
    '4',
  ])
})

test('remove takes every occurrence away', () => {
  expect(edited({ kind: 'remove', name: 'x-one' })).toEqual(['x-two', '2'])
})

test('what depends on presence looks first', () => {
  expect(edited({ kind: 'addIfAbsent', name: 'x-two', value: 'n' })).toHaveLength(6)
  expect(edited({ kind: 'addIfAbsent', name: 'x-new', value: 'n' })).toHaveLength(8)
  expect(edited({ kind: 'setIfPresent', name: 'x-new', value: 'n' })).toHaveLength(6)
  expect(edited({ kind: 'setIfPresent', name: 'x-two', value: 'n' })).toContain('n')
})

test('edits are made in their order; none makes no function', () => {
  const edits: HeaderEdit[] = [
    { kind: 'remove', name: 'x-one' },
    { kind: 'add', name: 'x-one', value: 'only' },
  ]
  expect(edited(...edits)).toEqual(['x-two', '2', 'x-one', 'only'])
  expect(headerEditor([])).toBeUndefined()
})

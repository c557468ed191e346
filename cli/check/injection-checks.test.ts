import { expect, test } from 'vitest'
import { namespaceChecks, podAnnotationChecks } from './injection-checks.ts'

const idsOf = (annotations: Readonly<Record<string, string>>): readonly string[] =>
  namespaceChecks({ metadata: { name: 'shop', annotations } }).map(({ outcome, id }) => `${outcome} ${id}`)

test.each([
  ['that asks for nothing', {}, []],
  ['that asks for sidecars', { 'weft.dev/inject': 'enabled', 'config.weft.dev/access-log': 'json' }, []],
  ['whose wish is misspelt', { 'weft.dev/inject': 'enable' }, ['fails INJECTION_UNCLEAR']],
  [
    'with a setting that is not taken',
    { 'weft.dev/inject': 'enabled', 'config.weft.dev/access-log': 'xml' },
    ['fails ANNOTATION_INVALID'],
  ],
  [
    'with a setting that nobody reads',
    { 'weft.dev/inject': 'enabled', 'config.weft.dev/acces-log': 'json' },
    ['warning ANNOTATION_UNKNOWN'],
  ],
])('a namespace %s', (_, annotations, ids) => {
  expect(idsOf(annotations)).toEqual(ids)
})

test('an annotation of a pod that nobody reads is named', () => {
  const [check] = podAnnotationChecks('shop/web', { 'config.weft.dev/acces-log': 'json', 'other/a': 'b' })
  expect(check?.message).toBe(
    'annotation config.weft.dev/acces-log of pod shop/web is not known, and does nothing',
  )
})

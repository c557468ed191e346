import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it, test } from 'vitest'
import { dashboards, observeFiles } from './files.ts'
import { rules } from './rules.ts'

test.each([...observeFiles()])('%s is what the code makes', (name, text) => {
  expect(readFileSync(path.join(import.meta.dirname, name), 'utf8')).toBe(text)
})

/** Generated from what the processes answer, and checked against them. */
const families = new Set(
  [
    ...readFileSync(path.join(import.meta.dirname, '../../docs/reference/metrics.md'), 'utf8').matchAll(
      /^\| `(\w+)` \|/gm,
    ),
  ].map(([, name]) => name),
)
const recorded = new Set<string>(rules.groups[0].rules.map(({ record }) => record))
const everyExpression = [
  ...dashboards.flatMap(({ panels }) => panels.flatMap(({ queries }) => queries.map(({ expr }) => expr))),
  ...rules.groups.flatMap((group) => group.rules.map(({ expr }) => expr)),
]

it('asks for metrics that the processes have, and for no others', () => {
  for (const expr of everyExpression) {
    const names = expr.match(/[a-z][\w:]*_[\w:]*(?=[{[ )]|$)/g) ?? []
    const asked = names.filter(
      (name) =>
        !['histogram_quantile', 'label_values'].includes(name) &&
        !/^(?:dst|client|status|parent|route|backend)_/.test(name) &&
        name !== 'endpoint_state',
    )
    for (const name of asked) {
      const family = name.replace(/_bucket$/, '')
      expect(families.has(family) || recorded.has(name) ? '' : `${name} in ${expr}`).toBe('')
    }
    expect(asked.length).toBeGreaterThan(0)
  }
})

test('every alert says what to do', () => {
  for (const { alert, annotations } of rules.groups[1].rules)
    expect(annotations.runbook.length, alert).toBeGreaterThan(40)
})

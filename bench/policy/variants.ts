/** What rules of access may cost. The one place: a number of them is a row here. */
import { plainGet } from '../load/request.ts'
import type { BenchVariant, VariantGroup } from '../variant-bench.ts'

const none = 'no rules'
const unindexed = '100 rules, not indexed'

function withRules(rules: number, atMost: number): BenchVariant {
  const name = rules === 1 ? '1 rule' : `${rules} rules`
  return {
    name,
    variant: { routes: 1, spans: false, rules },
    limits: [{ what: name, base: none, atMost }],
  }
}

export const groups: readonly VariantGroup[] = [
  {
    name: 'policy',
    title: 'the proxy in front of the application, saturated, by its rules of access',
    base: none,
    load: { kind: 'saturated', connections: 16 },
    request: plainGet,
    variants: [
      { name: none, variant: { routes: 1, spans: false, rules: 0 }, limits: [] },
      withRules(1, 1.05),
      withRules(100, 1.1),
      withRules(1_000, 1.2),
      // By header, address and the end of an id: looked at one after the other, which is promised nothing.
      {
        name: unindexed,
        variant: { routes: 1, spans: false, rules: 100, ruleKind: 'unindexed' },
        limits: [],
      },
    ],
  },
]

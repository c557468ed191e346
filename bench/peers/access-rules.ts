/** Rules of access for a measurement: the request meets the last one, and is looked for among all. Pure. */
const last = { name: 'last', action: 'allow', to: [{ methods: ['GET'], paths: ['/'] }] }

/** Of every kind that there is to look up: by path, by principal, by namespace, and of either verdict. */
function other(i: number): object {
  const kinds = [
    { action: 'allow', to: [{ paths: [`/other-${i}/*`] }] },
    { action: 'deny', to: [{ paths: [`/denied-${i}`] }] },
    { action: 'allow', from: [{ serviceAccounts: [`account-${i}`] }] },
    { action: 'deny', from: [{ namespaces: [`namespace-${i}`] }], to: [{ methods: ['POST'] }] },
  ]
  return { name: `rule-${i}`, ...kinds[i % kinds.length] }
}

/** Of every kind that has to be looked at one after the other: by header, by address, by the end of an id. */
function unindexed(i: number): object {
  const kinds = [
    { action: 'deny', to: [{ headers: [{ name: `x-header-${i}`, value: 'yes' }] }] },
    {
      action: 'deny',
      to: [{ headers: [{ name: 'host', value: `other-${i}[.].*`, type: 'RegularExpression' }] }],
    },
    { action: 'deny', from: [{ cidrs: [`10.${i % 256}.0.0/16`] }] },
    { action: 'deny', from: [{ principals: [`*/sa/account-${i}`] }] },
  ]
  return { name: `rule-${i}`, ...kinds[i % kinds.length] }
}

export type RuleKind = 'indexed' | 'unindexed'

export function accessRules(count: number, kind: RuleKind = 'indexed'): readonly object[] {
  const made = kind === 'indexed' ? other : unindexed
  return [...Array.from({ length: count - 1 }, (_, i) => made(i)), last]
}

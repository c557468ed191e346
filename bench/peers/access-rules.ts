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

export function accessRules(count: number): readonly object[] {
  return [...Array.from({ length: count - 1 }, (_, i) => other(i)), last]
}

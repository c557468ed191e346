import { expect, it } from 'vitest'
import type { Diagnosis, DiagnosisStep, SidecarFacts } from '../../api/diagnosis.ts'
import { mergeDiagnoses } from './merge-diagnoses.ts'

const facts = (pod: string): SidecarFacts => ({
  namespace: 'shop',
  pod,
  identity: `spiffe://cluster.local/ns/shop/sa/${pod}`,
  version: '1',
  admin: null,
  connectedAtMs: 1,
  bundle: null,
  certificateRoot: null,
  certificateNotAfterMs: null,
  refused: [],
})
const missing = (subject: string): DiagnosisStep => ({
  place: 'identity',
  id: 'ENDPOINT_NOT_CONNECTED',
  outcome: 'fails',
  message: '',
  hint: '',
  subject,
})
const diagnosis = (
  sidecar: SidecarFacts | null,
  behind: SidecarFacts | null,
  steps: readonly DiagnosisStep[],
): Diagnosis => ({
  from: 'shop/web',
  to: 'app.shop:80',
  steps,
  sidecar,
  resources: [],
  backends: [
    {
      cluster: 'app',
      sharePercent: 100,
      host: null,
      endpoints: [
        {
          address: '10.0.0.1:80',
          workload: 'shop/app',
          meshed: true,
          identity: '',
          applicationPort: 80,
          sidecar: behind,
        },
      ],
    },
  ],
})

it('a sidecar that is connected to another replica is no trouble', () => {
  const here = diagnosis(facts('web'), null, [missing('shop/app')])
  const there = diagnosis(null, facts('app'), [missing('shop/web')])
  const merged = mergeDiagnoses([there, here])
  expect([merged.steps, merged.sidecar?.pod, merged.backends[0]?.endpoints[0]?.sidecar?.pod]).toEqual([
    [],
    'web',
    'app',
  ])
})

it('one that is connected to none is', () => {
  const nowhere = diagnosis(facts('web'), null, [missing('shop/app')])
  expect(mergeDiagnoses([nowhere, diagnosis(null, null, [])]).steps).toEqual([missing('shop/app')])
})

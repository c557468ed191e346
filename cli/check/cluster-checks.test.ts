import { expect, test } from 'vitest'
import { clusterChecks } from './cluster-checks.ts'
import type { ClusterFacts } from './cluster-facts.ts'

function ofTrial(trial: NonNullable<ClusterFacts['trial']>): string | undefined {
  const facts = { installed: [], trustBundle: undefined, webhookBundle: '', namespaces: [], pods: [], trial }
  return clusterChecks(facts, 0).findLast(({ category }) => category === 'webhook')?.id
}

const failed =
  'Internal error occurred: failed calling webhook "inject.weft.dev": failed to call webhook: Post "https://weft-injector.weft.svc:443/inject?timeout=10s": '

test.each([
  ['a sidecar', { status: 201, message: '', injected: true }, 'WEBHOOK_ANSWERS'],
  ['no sidecar', { status: 201, message: '', injected: false }, 'WEBHOOK_UNREACHABLE'],
  [
    'an injector that is not there',
    { status: 500, message: `${failed}dial tcp 10.96.0.9:443: connect: connection refused`, injected: false },
    'WEBHOOK_UNREACHABLE',
  ],
  [
    'an injector that is somebody else',
    {
      status: 500,
      message: `${failed}tls: failed to verify certificate: x509: certificate signed by unknown authority`,
      injected: false,
    },
    'WEBHOOK_NOT_TRUSTED',
  ],
  ['no right to make pods', { status: 403, message: 'forbidden', injected: false }, 'WEBHOOK_NOT_TRIED'],
])('a pod that was tried and got %s', (_, trial, id) => {
  expect(ofTrial(trial)).toBe(id)
})

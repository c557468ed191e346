import { expect, test } from 'vitest'
import { MeshModel } from './mesh-model.ts'
import type { Change, Service, TrafficPolicy } from './objects.ts'
import { policyCondition, policyStatus, serviceTraffic } from './policy-status.ts'
import { policy, service } from './test-objects.ts'
import { defaultBalancer, defaultRetries, noTrafficSettings } from './traffic-settings.ts'

const retries = { retries: defaultRetries }
const annotated: Change = {
  kind: 'service',
  key: 'shop/catalog',
  value: {
    ...(service('catalog').value as Service),
    traffic: { ...noTrafficSettings, retries: defaultRetries, balancer: defaultBalancer },
  },
}

function statusOf(change: Change, ...others: readonly Change[]) {
  const model = new MeshModel()
  model.apply([service('catalog'), ...others, change])
  return policyStatus(model, change.value as TrafficPolicy)
}
const reasonsOf = (change: Change, ...others: readonly Change[]) =>
  statusOf(change, ...others).targets.map(({ inForce, conditions: [one] }) => [
    one?.status,
    one?.reason,
    one?.message,
    inForce,
  ])

test('a policy in force is accepted for the ports that it counts for', () => {
  const p = policy('p', 'catalog', retries)
  expect(statusOf(p)).toMatchObject({ namespace: 'shop', name: 'p', sections: ['retries'] })
  expect(reasonsOf(p)).toEqual([['True', 'Accepted', '', [8080]]])
})

test.each<[string, Change, readonly Change[], readonly unknown[]]>([
  [
    'whose Service does not exist',
    policy('p', 'ghost', retries),
    [],
    ['TargetNotFound', "'shop/ghost' is no Service"],
  ],
  [
    'whose port does not exist',
    policy('p', 'catalog', retries, { port: { number: 9 } }),
    [],
    ['TargetNotFound', "'shop/catalog' has no port 9"],
  ],
  [
    'that an older one overrules',
    policy('p', 'catalog', retries, { createdMs: 2 }),
    [policy('older', 'catalog', retries, { createdMs: 1 })],
    ['Conflicted', "'shop/older' is older, or for one port alone"],
  ],
])('a policy %s is not, and why', (_what, change, others, expected) => {
  expect(reasonsOf(change, ...others)).toEqual([['False', ...expected, []]])
})

test('a policy is accepted as a whole when every target is, and says which are not', () => {
  const p = policy('p', 'catalog', retries)
  expect(policyCondition(statusOf(p))).toMatchObject({ status: 'True', reason: 'Accepted', message: '' })
  const value = p.value as TrafficPolicy
  const targets = [...value.targets, { service: 'ghost', port: undefined }]
  expect(policyCondition(statusOf({ ...p, value: { ...value, targets } } as Change))).toEqual({
    type: 'Accepted',
    status: 'False',
    reason: 'TargetNotFound',
    message: "'shop/ghost' is no Service; it counts for its other targets",
  })
})

test("a Service's settings are shown with where each comes from: a policy's beat its annotations", () => {
  const model = new MeshModel()
  model.apply([annotated, policy('p', 'catalog', retries), service('plain')])
  const trafficOf = (name: string) => serviceTraffic(model, model.service(`shop/${name}`) as Service)
  expect(trafficOf('catalog')?.ports).toEqual([
    {
      port: 8080,
      sections: {
        retries: 'TrafficPolicy shop/p',
        balancer: 'annotations of Service shop/catalog',
      },
    },
  ])
  expect(trafficOf('plain')).toBeUndefined()
})

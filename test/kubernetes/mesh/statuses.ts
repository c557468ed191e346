/** What is said about splits and policies, in their status and in Events. */
import { expect } from 'vitest'
import { type ShopTests, split } from '../cluster-shop.ts'
import { conditionsOf, eventsOf } from '../written-status.ts'

export const statuses: ShopTests = {
  'a split says in its status what is done with it': async ({ server }) => {
    const conditions = () => conditionsOf(server, 'trafficsplit')
    await server.apply(split(3, 1))
    const well = ['Accepted=True/Accepted', 'ResolvedRefs=True/ResolvedRefs', 'Programmed=True/Programmed']
    await expect.poll(conditions, { timeout: 10_000 }).toEqual(well)
    await server.apply(split(3, 1).replace('catalog-v2', 'catalog-v3'))
    await expect
      .poll(conditions, { timeout: 10_000 })
      .toEqual(['Accepted=True/Accepted', 'ResolvedRefs=False/BackendUnknown', 'Programmed=True/Programmed'])
    await server.apply(split(3, 1))
    await expect.poll(conditions, { timeout: 10_000 }).toEqual(well)
  },

  'what becomes wrong with a split and right again is told in Events, and a rollout tells nothing': async (
    shop,
  ) => {
    const { server } = shop
    const once = ['Normal Resolved x1', 'Warning BackendUnknown x1']
    await expect.poll(() => eventsOf(server, 'TrafficSplit'), { timeout: 10_000 }).toEqual(once)
    expect(await server.kubectl(['describe', 'trafficsplit', 'catalog', '-n', 'shop'])).toMatch(
      /Warning +BackendUnknown .*weft-control-plane +backend 'catalog-v3' is no Service/,
    )
    for (const canary of [5, 10, 20, 35, 50, 25]) {
      await server.apply(split(100 - canary, canary))
      await shop.untilShare(canary)
    }
    // Wrong again in the same way: counted, and by then the steps before would have told.
    await server.apply(split(3, 1).replace('catalog-v2', 'catalog-v3'))
    await expect
      .poll(() => eventsOf(server, 'TrafficSplit'), { timeout: 10_000 })
      .toEqual(['Normal Resolved x1', 'Warning BackendUnknown x2'])
    await server.apply(split(3, 1))
    await expect
      .poll(() => eventsOf(server, 'TrafficSplit'), { timeout: 10_000 })
      .toEqual(['Normal Resolved x2', 'Warning BackendUnknown x2'])
  },

  "a policy says in its status whether it counts, beside other controllers' conditions": async ({
    server,
  }) => {
    const policy = (service: string) => `
apiVersion: weft.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: catalog, namespace: shop}
spec: {targetRefs: [{kind: Service, name: ${service}}], timeouts: {request: 20s}}
`
    const conditions = () => conditionsOf(server, 'trafficpolicy')
    await server.apply(policy('catalog'))
    await expect.poll(conditions, { timeout: 15_000 }).toEqual(['Accepted=True/Accepted'])
    const theirs = {
      type: 'Audited',
      status: 'True',
      reason: 'Audited',
      message: 'theirs',
      observedGeneration: 1,
      lastTransitionTime: '2026-01-01T00:00:00Z',
    }
    const patch = [{ op: 'add', path: '/status/conditions/-', value: theirs }]
    const ofPolicy = ['trafficpolicy', 'catalog', '-n', 'shop']
    const asPatch = ['--subresource=status', '--type=json', '-p', JSON.stringify(patch)]
    await server.kubectl(['patch', ...ofPolicy, ...asPatch])
    await server.apply(policy('ghost'))
    await expect
      .poll(conditions, { timeout: 10_000 })
      .toEqual(['Audited=True/Audited of an older one', 'Accepted=False/TargetNotFound'])
    await expect.poll(() => eventsOf(server, 'TrafficPolicy')).toEqual(['Warning TargetNotFound x1'])
    await server.kubectl(['delete', ...ofPolicy])
  },

  'who may call nobody is said in the status of policies and targets, too': async ({ server }) => {
    await server.apply(`
apiVersion: weft.dev/v1alpha1
kind: AccessPolicy
metadata: {name: catalog, namespace: shop}
spec: {targetRefs: [{kind: Pod, matchLabels: {app: none}}], default: deny}
---
apiVersion: access.smi-spec.io/v1alpha4
kind: TrafficTarget
metadata: {name: catalog, namespace: shop}
spec:
  destination: {kind: ServiceAccount, name: nobody, namespace: shop}
  sources: [{kind: ServiceAccount, name: web, namespace: shop}]
  rules: [{kind: HTTPRouteGroup, name: none}]
---
apiVersion: access.smi-spec.io/v1alpha4
kind: IdentityBinding
metadata: {name: catalog, namespace: shop}
spec: {schemes: {podLabelSelectors: [{matchLabels: {app: none}}]}}
`)
    for (const kind of ['accesspolicy', 'traffictarget', 'identitybinding']) {
      const accepted = async () => (await conditionsOf(server, kind))[0]
      await expect.poll(accepted, { timeout: 15_000 }).toBe('Accepted=False/TargetNotFound')
      await server.kubectl(['delete', kind, 'catalog', '-n', 'shop'])
    }
  },

  'what the schema lets through and the mesh does not is in its status and in Events, and the last good one stays':
    async (shop) => {
      const { server } = shop
      const refused = () =>
        shop.plane
          .page<{ readonly refused: readonly { readonly object: string }[] }>('/findings')
          .then((page) => page.refused.map(({ object }) => object))
      const accepted = async () => (await conditionsOf(server, 'trafficsplit')).toSorted()[0]
      const described = () => server.kubectl(['describe', 'trafficsplit', 'catalog', '-n', 'shop'])
      await server.apply(split(9, 1))
      await shop.untilShare(10)
      await server.apply(split(8, 2).replace('catalog-v2', 'catalog-v2.elsewhere'))
      await expect.poll(refused).toEqual(['TrafficSplit shop/catalog'])
      await expect.poll(accepted, { timeout: 10_000 }).toBe('Accepted=False/Invalid')
      await expect
        .poll(described)
        .toMatch(
          /Warning +Invalid .*weft-control-plane +spec\.backends\[1\]\.service: must be a Service of the split's own namespace/,
        )
      expect(await shop.usedShare()).toBe(10)
      // The same as before it was broken: nothing changes in the mesh, and its status does.
      await server.apply(split(9, 1))
      await expect.poll(accepted, { timeout: 10_000 }).toBe('Accepted=True/Accepted')
      expect(await refused()).toEqual([])
      await expect.poll(described).toMatch(/Normal +Resolved .*Accepted: no longer Invalid/)
      // A Service has no status of ours.
      const asked = ['annotate', 'service', '-n', 'shop', 'catalog', '--overwrite']
      await server.kubectl([...asked, 'timeout.weft.dev/request=soon'])
      await expect
        .poll(() => eventsOf(server, 'Service'), { timeout: 10_000 })
        .toEqual(['Warning Invalid x1'])
      await server.kubectl([...asked, 'timeout.weft.dev/request-'])
      await expect.poll(refused).toEqual([])
    },
}

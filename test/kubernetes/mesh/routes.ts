/** Routes of the Gateway API: what counts of them, and what is said about them. */
import path from 'node:path'
import { expect } from 'vitest'
import { applyCrds, catalogUrl, type ShopTests, split } from '../cluster-shop.ts'
import { routeConditionsOf, writtenOf } from '../written-status.ts'

const ours = 'weft.dev/control-plane'
const gatewayApi = process.env['WEFT_GATEWAY_API'] ?? ''
const crdFiles = ['httproutes', 'grpcroutes', 'referencegrants'].map((plural) =>
  path.join(gatewayApi, `config/crd/standard/gateway.networking.k8s.io_${plural}.yaml`),
)

const httpRoute = `
apiVersion: gateway.networking.k8s.io/v1beta1
kind: HTTPRoute
metadata: {name: catalog, namespace: shop}
spec:
  parentRefs: [{group: '', kind: Service, name: catalog, port: 8080}]
  rules:
    - matches: [{headers: [{name: x-version, value: v2}]}]
      backendRefs: [{name: catalog-v2, port: 8080}]
    - backendRefs: [{name: catalog-v1, port: 8080}]
`
const grpcRoute = `
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: {name: catalog, namespace: shop}
spec:
  parentRefs: [{group: '', kind: Service, name: catalog}]
  rules:
    - matches: [{method: {service: shop.Catalog}}]
      backendRefs: [{name: catalog-v2, port: 8080}]
`
/** As another controller writes it into the status. */
const otherParent = {
  controllerName: 'example.com/other',
  parentRef: { group: '', kind: 'Service', name: 'catalog' },
  conditions: [
    {
      type: 'Accepted',
      status: 'True',
      reason: 'Accepted',
      message: 'theirs',
      observedGeneration: 1,
      lastTransitionTime: '2026-01-01T00:00:00Z',
    },
  ],
}

/** Each goes on from where the one before it ends. */
export const routes: ShopTests = {
  'an HTTPRoute counts as soon as the Gateway API is there, in v1beta1 too, and beats a split': async (
    shop,
  ) => {
    const { server, client } = shop
    for (const file of crdFiles) await server.kubectl(['apply', '-f', file])
    await applyCrds(server)
    await server.apply(split(3, 1))
    await shop.untilShare(25)
    await server.apply(httpRoute)
    const asV2 = { headers: { 'x-version': 'v2' } }
    await expect
      .poll(() => client.tally(catalogUrl, 20, asV2), { timeout: 15_000 })
      .toEqual({ 'catalog-v2': 20 })
    expect(await client.tally(catalogUrl, 20)).toEqual({ 'catalog-v1': 20 })
  },

  "its status is written beside another controller's entry": async ({ server }) => {
    const ofRoute = ['httproute', 'catalog', '-n', 'shop']
    const parents = [...((await writtenOf(server, 'httproute')).status?.parents ?? []), otherParent]
    const status = JSON.stringify({ status: { parents } })
    await server.kubectl(['patch', ...ofRoute, '--subresource=status', '--type=merge', '-p', status])
    const backend = [{ op: 'replace', path: '/spec/rules/1/backendRefs/0/name', value: 'nowhere' }]
    await server.kubectl(['patch', ...ofRoute, '--type=json', '-p', JSON.stringify(backend)])
    await expect
      .poll(() => routeConditionsOf(server, 'httproute'), { timeout: 10_000 })
      .toEqual({
        'example.com/other': ['Accepted=True/Accepted of an older one'],
        [ours]: ['Accepted=True/Accepted', 'ResolvedRefs=False/BackendNotFound'],
      })
  },

  'a GRPCRoute beats an HTTPRoute, and that is said of both': async (shop) => {
    const { server, client } = shop
    const saidOf = async (kind: string) => (await routeConditionsOf(server, kind))[ours] ?? []
    await server.apply(grpcRoute)
    await expect
      .poll(() => saidOf('grpcroute'), { timeout: 10_000 })
      .toEqual(['Accepted=True/Accepted', 'ResolvedRefs=True/ResolvedRefs'])
    await expect.poll(() => saidOf('httproute'), { timeout: 10_000 }).toContain('Accepted=False/Conflicted')
    const call = 'http://catalog.shop:8080/shop.Catalog/List'
    await expect.poll(() => client.tally(call, 20), { timeout: 10_000 }).toEqual({ 'catalog-v2': 20 })
    await server.kubectl(['delete', 'grpcroute', 'catalog', '-n', 'shop'])
    await expect.poll(() => saidOf('httproute'), { timeout: 10_000 }).toContain('Accepted=True/Accepted')
    await server.kubectl(['delete', 'httproute', 'catalog', '-n', 'shop'])
    await shop.untilShare(25)
  },
}

/** Where requests go: splits, zones, pods' own addresses, endpoints that are not ready. */
import { expect } from 'vitest'
import { fetchText } from '../../../cli/demo/sidecar-admin.ts'
import { type HttpApplication, startHttpApplication } from '../../support/http-application.ts'
import { applyCrds, catalogUrl, setPod, type ShopTests, split } from '../cluster-shop.ts'

export const destinations: ShopTests = {
  'TrafficSplits count as soon as their CustomResourceDefinition is there': async (shop) => {
    const { server, client } = shop
    await applyCrds(server)
    await server.apply(split(3, 1))
    await shop.untilShare(25)
    const tally = await client.tally(catalogUrl, 400)
    expect(Object.keys(tally).toSorted()).toEqual(['catalog-v1', 'catalog-v2'])
    expect(tally['catalog-v2']).toBeGreaterThan(60)
    expect(tally['catalog-v2']).toBeLessThan(140)
  },

  "a sidecar is in its node's zone, and prefers that one where a policy says so": async ({
    server,
    client,
    apps,
  }) => {
    const names = ['near', 'far'] as const
    const ips = { near: '10.244.0.5', far: '10.244.0.6' }
    const nodes = { near: 'node-1', far: 'node-2' }
    await server.apply(`
apiVersion: v1
kind: Node
metadata: {name: node-2, labels: {topology.kubernetes.io/zone: zone-b}}
---
apiVersion: v1
kind: Service
metadata: {name: zoned, namespace: shop}
spec: {selector: {app: zoned}, ports: [{name: http, port: 8080, targetPort: http}]}
`)
    for (const name of names) {
      const app = await startHttpApplication(name, undefined, ips[name])
      apps[name] = app
      await server.apply(`
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: shop, labels: {app: zoned}}
spec: {nodeName: ${nodes[name]}, containers: [{name: app, image: app, ports: [{name: http, containerPort: ${app.port}}]}]}
`)
      await setPod(server, name, ips[name], 'True')
    }
    const tally = async () => Object.keys(await client.tally('http://zoned.shop:8080/', 40)).toSorted()
    await expect.poll(tally, { timeout: 10_000 }).toEqual(['far', 'near'])
    await server.apply(`
apiVersion: weft.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: zoned, namespace: shop}
spec: {targetRefs: [{kind: Service, name: zoned}], balancer: {zonePreference: SameZone}}
`)
    await expect.poll(tally, { timeout: 10_000 }).toEqual(['near'])
    // The sidecar follows its node; whether EndpointSlices do is Kubernetes' own affair.
    await server.kubectl(['label', 'node', 'node-1', '--overwrite', 'topology.kubernetes.io/zone=zone-b'])
    await expect.poll(tally, { timeout: 10_000 }).toContain('far')
  },

  "a pod's own address leads to that pod alone, as a destination of the mesh": async (shop) => {
    const { client, apps } = shop
    const { port } = apps['catalog-v1'] as HttpApplication
    expect(await client.tally(`http://10.244.0.3:${port}/`, 20)).toEqual({ 'catalog-v1': 20 })
    const { text } = await fetchText(shop.sidecar.adminPort, '/config')
    const { destinations } = JSON.parse(text) as { readonly destinations: Readonly<Record<string, object>> }
    expect(Object.keys(destinations)).toContain(`10.244.0.3:${port}`)
  },

  'an endpoint that is not ready gets nothing, and comes back': async (shop) => {
    const { server, client } = shop
    await server.apply(split(1, 1))
    await shop.untilShare(50)
    await setPod(server, 'catalog-v2', '10.244.0.4', 'False')
    await expect
      .poll(async () => Object.keys(await client.tally(catalogUrl, 40)), { timeout: 10_000 })
      .toEqual(['catalog-v1'])
    await setPod(server, 'catalog-v2', '10.244.0.4', 'True')
    await expect
      .poll(async () => Object.keys(await client.tally(catalogUrl, 40)).toSorted(), { timeout: 10_000 })
      .toEqual(['catalog-v1', 'catalog-v2'])
  },
}

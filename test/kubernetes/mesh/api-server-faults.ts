/** An API server that is killed, throttles, is away for long or has forgotten: requests go on, and all is caught up after it. */
import { setTimeout } from 'node:timers/promises'
import { expect } from 'vitest'
import { systemClock } from '../../../core/clock.ts'
import { KubernetesClient } from '../../../core/kubernetes/api-client.ts'
import { readKubeconfig } from '../../../core/kubernetes/kubeconfig.ts'
import { ClusterControlPlane } from '../../support/cluster-control-plane.ts'
import type { HttpApplication } from '../../support/http-application.ts'
import type { HttpClient } from '../../support/http-client.ts'
import { catalogUrl, deploy, type ShopTests, split } from '../cluster-shop.ts'

/** How soon a sidecar has what happened while the API server was away. */
const caughtUpWithinMs = 5_000
/** Some hundred requests each second: what is restarted meanwhile needs the machine too. */
const loaders = 4
const loadEveryMs = 10
/** Longer than the longest pause between two attempts. */
const throttledMs = 3_000
/** CI has less time than an API server's bad minute. */
export const outageMs = Number(process.env['WEFT_OUTAGE_S'] ?? 10) * 1_000

/** Requests go on all the while; gives how often each status was answered, when `act` is over. */
async function underLoad(
  client: HttpClient,
  act: () => Promise<void>,
): Promise<Readonly<Record<number, number>>> {
  const statuses: Record<number, number> = {}
  let going = true
  const worker = async (): Promise<void> => {
    while (going) {
      const { status } = await client.send(catalogUrl)
      statuses[status] = (statuses[status] ?? 0) + 1
      await setTimeout(loadEveryMs)
    }
  }
  const load = Promise.all(Array.from({ length: loaders }, worker))
  try {
    await act()
  } finally {
    going = false
    await load
  }
  return statuses
}

function tell(what: string, statuses: Readonly<Record<number, number>>, tookMs: number): void {
  process.stdout.write(`${what}: ${statuses[200]} requests, caught up after ${tookMs.toFixed(0)} ms\n`)
}

/** A level with no place for requests. It takes one nevertheless, as any level does. */
const throttled = `
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: PriorityLevelConfiguration
metadata: {name: throttled}
spec:
  type: Limited
  limited: {nominalConcurrencyShares: 0, lendablePercent: 0, borrowingLimitPercent: 0, limitResponse: {type: Reject}}
---
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: FlowSchema
metadata: {name: throttled}
spec:
  priorityLevelConfiguration: {name: throttled}
  matchingPrecedence: 2
  rules:
    - subjects: [{kind: ServiceAccount, serviceAccount: {namespace: weft, name: weft-control-plane}}]
      resourceRules: [{verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*']}]
      nonResourceRules: [{verbs: ['*'], nonResourceURLs: ['*']}]
`

/** Resolves when requests of the control plane's account are refused, because the one that is taken is one of ours. */
async function takeThrottledPlace(kubeconfig: string): Promise<() => void> {
  const plug = new KubernetesClient(readKubeconfig([kubeconfig]), systemClock)
  const full = Promise.withResolvers<void>()
  let going = true
  const hold = async (): Promise<void> => {
    while (going) {
      // For a version that is not there yet the API server waits 3 s.
      const { status } = await plug.request('GET', '/api/v1/pods?limit=1&resourceVersion=999999999')
      if (status === 429) full.resolve()
      await setTimeout(loadEveryMs)
    }
  }
  const holding = Promise.all([hold(), hold(), hold()]).catch(full.reject)
  await full.promise
  return () => {
    going = false
    void holding.then(() => plug.close())
  }
}

/** Each needs an API server that is ours to harm. */
export const apiServerFaults: ShopTests = {
  'the API server is killed and comes back: no request fails, and what changed is there within 5 s': async (
    shop,
  ) => {
    const { server, client } = shop
    let tookMs = 0
    const statuses = await underLoad(client, async () => {
      await server.kill()
      await expect.poll(() => shop.plane.log).toContain('KUBERNETES_UNREACHABLE')
      await server.startAgain()
      await server.apply(split(1, 3))
      tookMs = await shop.untilShare(75, caughtUpWithinMs)
    })
    tell('API server killed', statuses, tookMs)
    expect(Object.keys(statuses)).toEqual(['200'])
  },

  'every watch is broken: no request fails, and what changes at that moment is there within 5 s': async (
    shop,
  ) => {
    const { server, client, gate } = shop
    let tookMs = 0
    const statuses = await underLoad(client, async () => {
      for (const percent of [20, 50]) {
        gate?.cut()
        await server.apply(split(100 - percent, percent))
        tookMs = Math.max(tookMs, await shop.untilShare(percent, caughtUpWithinMs))
      }
    })
    tell('watches broken', statuses, tookMs)
    expect(Object.keys(statuses)).toEqual(['200'])
  },

  'the API server throttles the control plane: no request fails, and 5 s after it all is caught up': async (
    shop,
  ) => {
    const { server, client, gate, kubeconfig } = shop
    const before = shop.plane.log.length
    let tookMs = 0
    const statuses = await underLoad(client, async () => {
      await server.apply(throttled)
      const leave = await takeThrottledPlace(kubeconfig)
      gate?.cut()
      await expect
        .poll(() => shop.plane.log.slice(before), { timeout: 10_000 })
        // The first of them to be refused is told, and stands for all.
        .toMatch(/"reason":"(?:watch [a-z]+|reading the Lease): 429"/)
      await server.apply(split(80, 20))
      await setTimeout(throttledMs)
      leave()
      await server.kubectl(['delete', 'flowschema,prioritylevelconfiguration', 'throttled'])
      tookMs = await shop.untilShare(20, caughtUpWithinMs)
    })
    tell('API server throttles', statuses, tookMs)
    expect(Object.keys(statuses)).toEqual(['200'])
  },

  'the API server is away for long and the control plane starts anew: no request fails, and 5 s later all is caught up':
    async (shop) => {
      const { server, client, kubeconfig } = shop
      await server.apply(split(1, 1))
      await shop.untilShare(50)
      let tookMs = 0
      const statuses = await underLoad(client, async () => {
        await server.kill()
        await setTimeout(outageMs / 4)
        await shop.plane.stop()
        await setTimeout(outageMs / 4)
        shop.plane = await ClusterControlPlane.start(kubeconfig, { grpcPort: shop.plane.grpcPort })
        await setTimeout(outageMs / 2)
        await server.startAgain()
        await server.apply(split(1, 3))
        tookMs = await shop.untilShare(75, caughtUpWithinMs)
      })
      tell(`API server away for ${outageMs} ms`, statuses, tookMs)
      expect(Object.keys(statuses)).toEqual(['200'])
    },

  'what happened beyond a compaction is found by listing anew, deletions included': async (shop) => {
    const { server, client, gate, apps } = shop
    const before = shop.plane.log.length
    let tookMs = 0
    const statuses = await underLoad(client, async () => {
      gate?.close()
      await server.apply(split(4, 1))
      await server.kubectl(['delete', 'service', 'catalog-v1', '-n', 'shop'])
      await server.compact()
      // What it still remembers by itself goes too.
      await server.kill()
      await server.startAgain()
      await server.compact()
      gate?.reopen()
      tookMs = await shop.untilShare(100, caughtUpWithinMs)
    })
    tell('compacted', statuses, tookMs)
    expect(Object.keys(statuses)).toEqual(['200'])
    // A kind that is built in: others may also be unknown for a moment, which is another reason to list anew.
    expect(shop.plane.log.slice(before)).toMatch(/"kind":"Service".*the watch expired/)
    await deploy(server, 'catalog-v1', '10.244.0.3', (apps['catalog-v1'] as HttpApplication).port)
    await shop.untilShare(20)
  },

  'a control plane that starts while the API server is away waits for it': async ({ server, kubeconfig }) => {
    await server.kill()
    const second = await ClusterControlPlane.start(kubeconfig)
    try {
      await expect.poll(() => second.log, { timeout: 20_000 }).toContain('KUBERNETES_UNREACHABLE')
      expect(await second.status('/live')).toBe(200)
      expect(await second.status('/ready')).toBe(503)
      await server.startAgain()
      await second.untilReady()
      const { splits } = await second.page<{ readonly splits: readonly object[] }>('/splits')
      expect(splits).toHaveLength(1)
    } finally {
      await second.stop()
    }
  },
}

/** The scenes of the demo's story; each acts on the mesh and gives back what it observed. */
import { randomBytes } from 'node:crypto'
import type { Convergence, MtlsObservation, Outage, SplitObservation } from './claims.ts'
import { percentile } from './claims.ts'
import { type Answer, count, type Load, newTally, type Tally } from './load.ts'
import { type DemoMesh, pathMarker } from './mesh.ts'
import { namespace, type Weights } from './mesh-yaml.ts'
import { inboundPeers, usedShare } from './sidecar-admin.ts'

export type Stage = {
  readonly mesh: DemoMesh
  readonly load: Load
  readonly total: Tally
  readonly onAnswer: (answer: Answer) => void
}

const url = `http://web:8080/${pathMarker}`
const concurrency = 16
/** Under which name each sidecar knows the apex. */
const apex = `catalog.${namespace}:8080`
const pollMs = 5
const convergenceTimeoutMs = 10_000

function observe(stage: Stage, tally: Tally): (answer: Answer) => void {
  return (answer) => {
    count(tally, answer)
    count(stage.total, answer)
    stage.onAnswer(answer)
  }
}

async function loadWhile(stage: Stage, goOn: (tally: Tally) => boolean): Promise<Tally> {
  const tally = newTally()
  await stage.load.run(url, concurrency, () => goOn(tally), observe(stage, tally))
  return tally
}

/** Load for `ms`, while `act` happens. */
export async function during(
  stage: Stage,
  ms: number,
  act: () => Promise<void> = () => Promise.resolve(),
): Promise<Tally> {
  const until = performance.now() + ms
  let acting = true
  const acted = act().finally(() => {
    acting = false
  })
  const tally = await loadWhile(stage, () => acting || performance.now() < until)
  await acted
  return tally
}

/** Waits until every sidecar that knows the apex uses `share` percent of v2; the time it took. */
async function untilUsed(stage: Stage, names: readonly string[], share: number): Promise<number> {
  const startedMs = performance.now()
  const wait = async (name: string): Promise<void> => {
    const { adminPort } = stage.mesh.pod(name)
    while ((await usedShare(adminPort, apex)) !== share) {
      if (performance.now() - startedMs > convergenceTimeoutMs)
        throw new Error(`${name} never used the new weights`)
      await new Promise((resolve) => setTimeout(resolve, pollMs))
    }
  }
  await Promise.all(names.map(wait))
  return performance.now() - startedMs
}

export async function splitScene(
  stage: Stage,
  weights: Weights,
  requests: number,
): Promise<SplitObservation> {
  stage.mesh.writeSplit(weights)
  const configured = (100 * weights.v2) / (weights.v1 + weights.v2)
  await untilUsed(stage, ['web'], configured)
  let started = 0
  const tally = newTally()
  await stage.load.run(url, concurrency, () => started++ < requests, observe(stage, tally))
  const answered = tally.v1 + tally.v2
  return {
    configured,
    observed: Math.round((10_000 * tally.v2) / Math.max(1, answered)) / 100,
    requests: answered,
  }
}

/** Every sidecar asks for the apex once, so that the change concerns all of them; then the weights change again and again. */
export async function convergenceScene(
  stage: Stage,
  loadOf: (name: string) => Load,
  writes: number,
): Promise<Convergence> {
  const names = stage.mesh.pods.map((pod) => pod.name)
  for (const name of names) await loadOf(name).get(`http://catalog:8080/${pathMarker}`)
  const times: number[] = []
  for (let i = 0; i < writes; i++) {
    const v2 = i % 2 === 0 ? 40 : 60
    stage.mesh.writeSplit({ v1: 100 - v2, v2 })
    times.push(await untilUsed(stage, names, v2))
  }
  const rounded = (share: number): number => Math.round(percentile(times, share) * 10) / 10
  return { p50: rounded(0.5), p99: rounded(0.99), writes }
}

export async function mtlsScene(stage: Stage): Promise<MtlsObservation> {
  const id = (account: string): string => `spiffe://cluster.local/ns/${namespace}/sa/${account}`
  const serving = stage.mesh.pods.filter((pod) => pod.services.length > 0)
  const hops = await Promise.all(
    serving.map(async (pod) => ({ to: pod.name, ...(await inboundPeers(pod.adminPort)) })),
  )
  const expected = [
    { to: 'web', client: id('client') },
    { to: 'catalog-v1', client: id('web') },
    { to: 'catalog-v2-a', client: id('web') },
    { to: 'catalog-v2-b', client: id('web') },
    { to: 'inventory', client: id('catalog-v1') },
    { to: 'inventory', client: id('catalog-v2') },
  ]
  return {
    hops,
    expected,
    relayedBytes: stage.mesh.relay.relayedBytes,
    clearTextSeen: stage.mesh.relay.clearTextSeen,
  }
}

export async function traceScene(
  stage: Stage,
): Promise<{ readonly sent: string; readonly seen: Answer['apps'] }> {
  const sent = randomBytes(16).toString('hex')
  const answer = await stage.load.get(url, { traceparent: `00-${sent}-${randomBytes(8).toString('hex')}-01` })
  return { sent, seen: answer.apps }
}

export async function endpointScene(stage: Stage, seconds: number): Promise<Outage> {
  return during(stage, seconds * 1000, async () => {
    await new Promise((resolve) => setTimeout(resolve, 500))
    await stage.mesh.killPod('catalog-v2-a')
  })
}

export type ControlPlaneOutage = {
  readonly killed: Outage & { readonly seconds: number }
  readonly restarted: Outage
}

/** The control plane is killed; load goes on; meanwhile a sidecar is killed and has to come back by itself. */
export async function controlPlaneScene(stage: Stage, seconds: number): Promise<ControlPlaneOutage> {
  const startedMs = performance.now()
  await stage.mesh.killControlPlane()
  const before = await during(stage, seconds * 1000)
  await stage.mesh.restartSidecar('web')
  const restarted = await during(stage, 2000)
  const elapsed = Math.round((performance.now() - startedMs) / 100) / 10
  await stage.mesh.startControlPlane()
  const { requests, failed } = before
  return {
    killed: { seconds: elapsed, requests, failed },
    restarted: { requests: restarted.requests, failed: restarted.failed },
  }
}

/** The scenes of the demo's story; each acts on the mesh and gives back what it observed. */
import { randomBytes } from 'node:crypto'
import type {
  Convergence,
  FailingObservation,
  Interruption,
  MtlsObservation,
  PolicyObservation,
  Return,
  SplitObservation,
  TraceObservation,
} from './claims.ts'
import { percentile } from './claims.ts'
import { inboundPeers, sampleSum } from './golden.ts'
import { type Answer, count, type Load, newTally, type Tally } from './load.ts'
import { type DemoMesh, pathMarker } from './mesh.ts'
import { namespace, switchPaths, type Weights } from './mesh-yaml.ts'
import { fetchText, isInUse, usedShare } from './sidecar-admin.ts'

export type Stage = {
  readonly mesh: DemoMesh
  /** By pod: each asks through its own sidecar. */
  readonly loads: ReadonlyMap<string, Load>
  readonly total: Tally
  readonly onAnswer: (answer: Answer) => void
}

const url = `http://web:8080/${pathMarker}`
const concurrency = 16
/** Under which name each sidecar knows the apex. */
const apex = `catalog.${namespace}:8080`
const pollMs = 10
const convergenceTimeoutMs = 10_000
/** At 10 % for v2, that it gets none of so many will not be seen. */
const maxTraceRequests = 500

function observe(stage: Stage, tally: Tally): (answer: Answer) => void {
  return (answer) => {
    count(tally, answer)
    count(stage.total, answer)
    stage.onAnswer(answer)
  }
}

async function loadOf(stage: Stage, requests: number): Promise<Tally> {
  const tally = newTally()
  let started = 0
  await client(stage).run(url, concurrency, () => started++ < requests, observe(stage, tally))
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
  const tally = newTally()
  const load = client(stage).run(
    url,
    concurrency,
    () => acting || performance.now() < until,
    observe(stage, tally),
  )
  await Promise.all([acted, load])
  return tally
}

/** Writes `weights` and waits until every one of these sidecars uses them; the time that it took. */
async function converge(stage: Stage, names: readonly string[], weights: Weights): Promise<number> {
  const share = shareOf(weights)
  const startedMs = performance.now()
  stage.mesh.writeSplit(weights)
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
  await converge(stage, ['web'], weights)
  const tally = await loadOf(stage, requests)
  const answered = tally.v1 + tally.v2
  return { configured: shareOf(weights), observed: percent(tally.v2, answered), requests: answered }
}

/** Every sidecar asks for the apex once, so that the change concerns all of them; then the weights change again and again. */
export async function convergenceScene(stage: Stage, writes: number): Promise<Convergence> {
  for (const load of stage.loads.values()) await load.get(`http://catalog:8080/${pathMarker}`)
  const names = [...stage.loads.keys()]
  const times: number[] = []
  for (let i = 0; i < writes; i++) {
    const v2 = i % 2 === 0 ? 40 : 60
    times.push(await converge(stage, names, { v1: 100 - v2, v2 }))
  }
  const rounded = (share: number): number => Math.round(percentile(times, share) * 10) / 10
  return { p50: rounded(0.5), p99: rounded(0.99), writes }
}

export async function mtlsScene(stage: Stage): Promise<MtlsObservation> {
  const id = (account: string): string => `spiffe://cluster.local/ns/${namespace}/sa/${account}`
  const serving = stage.mesh.pods.filter((pod) => pod.services.length > 0)
  const hops = await Promise.all(
    serving.map(async (pod) => {
      const { text } = await fetchText(pod.adminPort, '/metrics')
      return { to: pod.name, ...inboundPeers(text) }
    }),
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

/** Somebody in the mesh asks `web` to fail. It has to be well afterwards, which the rest of the story shows. */
export async function policyScene(stage: Stage): Promise<PolicyObservation> {
  const statuses = await Promise.all(
    switchPaths.map(async (path) => (await client(stage).get(`http://web:8080${path}`)).status),
  )
  const counted = async (pod: string, family: string): Promise<number> =>
    sampleSum((await fetchText(stage.mesh.pod(pod).adminPort, '/metrics')).text, family)
  return {
    statuses,
    denied: await counted('web', 'inbound_http_authz_deny_total'),
    audited: await counted('inventory', 'inbound_http_authz_audit_total'),
  }
}

/** The same trace goes through the mesh again and again, until both versions have had it. */
export async function traceScene(stage: Stage): Promise<TraceObservation> {
  const expected = ['web', 'catalog-v1', 'catalog-v2', 'inventory']
  const sent = randomBytes(16).toString('hex')
  const seen = new Map<string, { readonly app: string; readonly trace: string }>()
  const apps = (): Set<string> => new Set([...seen.values()].map(({ app }) => app))
  for (let i = 0; i < maxTraceRequests && apps().size < expected.length; i++) {
    const traceparent = `00-${sent}-${randomBytes(8).toString('hex')}-01`
    const answer = await client(stage).get(url, { traceparent })
    observe(stage, newTally())(answer)
    for (const entry of answer.apps) seen.set(`${entry.app} ${entry.trace}`, entry)
  }
  return { sent, seen: [...seen.values()], expected }
}

/** All of v2 answers 500 for a while. What fails then is counted apart: it is meant to. */
export async function failingScene(stage: Stage, requests: number): Promise<FailingObservation> {
  const weights = { v1: 90, v2: 10 }
  await converge(stage, ['web'], weights)
  const apart = { ...stage, total: newTally() }
  await stage.mesh.setVersionFailing('catalog-v2', true)
  const during = await loadOf(apart, requests)
  await stage.mesh.setVersionFailing('catalog-v2', false)
  const after = await loadOf(stage, requests)
  return {
    configured: shareOf(weights),
    failedShare: percent(during.failed, during.requests),
    failedElsewhere: during.failed - during.failedInV2,
    failedAfter: after.failed,
  }
}

/** With all of the load on the two endpoints of v2: half of it has to find its way around the dead one. */
export async function endpointScene(stage: Stage, seconds: number): Promise<Interruption> {
  await converge(stage, ['web'], { v1: 0, v2: 100 })
  const { requests, failed } = await during(stage, seconds * 1000, async () => {
    await new Promise((resolve) => setTimeout(resolve, 500))
    await stage.mesh.killPod('catalog-v2-a')
  })
  return { requests, failed, interrupted: !stage.mesh.runs('catalog-v2-a-sidecar') }
}

/** An endpoint that could not be connected to is tried every 5 s at least. */
const returnTimeoutMs = 10_000

/** It has to be used again: load goes on until it was, or for too long. */
export async function endpointReturns(stage: Stage): Promise<Return> {
  const name = 'catalog-v2-a'
  const served = async (): Promise<number> =>
    inboundPeers((await fetchText(stage.mesh.pod(name).adminPort, '/metrics')).text).requests
  const inUse = (): Promise<boolean> =>
    isInUse(stage.mesh.pod('web').adminPort, stage.mesh.pod(name).publishedPort)
  const { failed } = await during(stage, 0, async () => {
    await stage.mesh.restartPod(name)
    const untilMs = performance.now() + returnTimeoutMs
    while (!((await served()) > 0 && (await inUse())) && performance.now() < untilMs)
      await new Promise((resolve) => setTimeout(resolve, 20))
  })
  return { served: await served(), failed, inUse: await inUse() }
}

function client({ loads }: Stage): Load {
  const load = loads.get('client')
  if (load === undefined) throw new Error('the demo has no client')
  return load
}

/** Of v2, in percent. */
export function shareOf({ v1, v2 }: Weights): number {
  return (100 * v2) / (v1 + v2)
}

function percent(part: number, all: number): number {
  return Math.round((10_000 * part) / Math.max(1, all)) / 100
}

/** The control plane is killed, and load goes on for that long. */
export async function outageScene(stage: Stage, seconds: number): Promise<Interruption> {
  await stage.mesh.killControlPlane()
  const { requests, failed } = await during(stage, seconds * 1000)
  return { requests, failed, interrupted: !stage.mesh.runs('control-plane') }
}

/** web's sidecar is killed; once it is ready again, nothing may be missing. */
export async function restartScene(stage: Stage): Promise<Interruption> {
  const before = await servedByWeb(stage)
  await stage.mesh.restartSidecar('web')
  // It counts from zero again.
  const interrupted = (await servedByWeb(stage)) < before
  const { requests, failed } = await during(stage, 2000)
  return { requests, failed, interrupted }
}

async function servedByWeb({ mesh }: Stage): Promise<number> {
  return inboundPeers((await fetchText(mesh.pod('web').adminPort, '/metrics')).text).requests
}

/** The story as `--ci` tells it: every scene once, every claim judged. */
import { reasonOf } from '../../core/errors.ts'
import {
  type Judge,
  judgeConvergence,
  judgeFailing,
  judgeInterruption,
  judgeMtls,
  judgeOutage,
  judgePolicy,
  judgeReturn,
  judgeSplit,
  judgeTrace,
  type MtlsObservation,
  type Outage,
  type SplitObservation,
} from './claims.ts'
import {
  convergenceScene,
  endpointReturns,
  endpointScene,
  failingScene,
  mtlsScene,
  outageScene,
  policyScene,
  restartScene,
  splitScene,
  type Stage,
  traceScene,
} from './scenes.ts'
import { splitSteps, type Weights } from './mesh-yaml.ts'

const leastRequestsPerStep = 5000
const requestsWhileFailing = 1500
/** With fewer the 99th percentile would be the slowest of all, which on a busy machine says nothing of the mesh. */
const convergenceWrites = 100
const endpointSeconds = 3
const outageSeconds = 6

/** Takes a line for people. */
type Say = (text: string) => void

/** What was found wrong so far, each with the claim that it breaks: the name of its field in the report. */
class Claims {
  readonly problems: string[] = []
  readonly #say: Say

  constructor(say: Say) {
    this.#say = say
  }

  /** Plays a scene and judges it. One that breaks off is a claim that does not hold; the story goes on all the same. */
  async play<T>(
    name: string,
    scene: () => Promise<T>,
    judge: Judge<T>,
    told: (seen: T) => string,
  ): Promise<T | undefined> {
    try {
      const seen = await scene()
      this.#say(told(seen))
      this.check(name, judge(seen))
      return seen
    } catch (error) {
      this.check(name, reasonOf(error))
      return undefined
    }
  }

  check(name: string, problem: string | undefined): void {
    if (problem === undefined) return
    this.problems.push(`${name}: ${problem}`)
    this.#say(`FAILED ${name}: ${problem}`)
  }
}

/** Of a share that is drawn for each request two points are four standard deviations, or more: once in 16,000 runs. */
function requestsFor({ v1, v2 }: Weights): number {
  const share = v2 / (v1 + v2)
  return Math.max(leastRequestsPerStep, Math.ceil(40_000 * share * (1 - share)))
}

function split(claims: Claims, stage: Stage, weights: Weights): Promise<SplitObservation | undefined> {
  return claims.play(
    'split',
    () => splitScene(stage, weights, requestsFor(weights)),
    judgeSplit,
    ({ configured, observed }) => `split: ${configured} % configured, ${observed} % observed`,
  )
}

function mtls(claims: Claims, stage: Stage): Promise<MtlsObservation | undefined> {
  return claims.play(
    'mtls',
    () => mtlsScene(stage),
    judgeMtls,
    ({ hops, relayedBytes }) =>
      `mTLS: ${hops.length} sidecars heard, ${relayedBytes} bytes recorded between two of them`,
  )
}

function figures({ requests, failed }: Outage): Outage {
  return { requests, failed }
}

/** The control plane is killed and load goes on; meanwhile a sidecar is killed, and has to come back by itself. */
async function outage(claims: Claims, stage: Stage) {
  const startedMs = performance.now()
  const before = await claims.play(
    'controlPlaneKilled',
    () => outageScene(stage, outageSeconds),
    judgeInterruption,
    ({ failed, requests }) => `control plane killed: ${failed} of ${requests} failed`,
  )
  const restarted = await claims.play(
    'sidecarRestartedMeanwhile',
    () => restartScene(stage),
    judgeInterruption,
    ({ failed, requests }) => `a sidecar restarted meanwhile: ${failed} of ${requests} failed`,
  )
  const seconds = Math.round((performance.now() - startedMs) / 100) / 10
  await claims.play(
    'controlPlaneKilled',
    () => stage.mesh.startControlPlane(),
    () => undefined,
    () => `the control plane is back after ${seconds} s`,
  )
  const sum = (key: 'requests' | 'failed'): number => (before?.[key] ?? 0) + (restarted?.[key] ?? 0)
  const controlPlaneKilled = { seconds, requests: sum('requests'), failed: sum('failed') }
  return { controlPlaneKilled, sidecarRestartedMeanwhile: restarted && figures(restarted) }
}

/** Nothing of the mesh itself is broken in these scenes. */
async function whileWell(claims: Claims, stage: Stage) {
  const traceparent = await claims.play(
    'traceparent',
    () => traceScene(stage),
    judgeTrace,
    ({ seen }) => `one trace id seen by ${seen.map(({ app }) => app).join(', ')}`,
  )
  const splits = []
  for (const weights of splitSteps) splits.push(await split(claims, stage, weights))
  const convergenceMs = await claims.play(
    'convergenceMs',
    () => convergenceScene(stage, convergenceWrites),
    judgeConvergence,
    ({ p50, p99 }) => `convergence after a write: p50 ${p50} ms, p99 ${p99} ms`,
  )
  const v2Failing = await claims.play(
    'v2Failing',
    () => failingScene(stage, requestsWhileFailing),
    judgeFailing,
    ({ configured, failedShare }) =>
      `v2 fails: ${failedShare} % of the requests failed, v2 gets ${configured} %`,
  )
  const policy = await claims.play(
    'policy',
    () => policyScene(stage),
    judgePolicy,
    ({ denied, audited }) => `policy: ${denied} requests denied, ${audited} met by one on trial`,
  )
  return { traceparent, splits, convergenceMs, v2Failing, policy }
}

async function whileBroken(claims: Claims, stage: Stage) {
  const endpointKilled = await claims.play(
    'endpointKilled',
    () => endpointScene(stage, endpointSeconds),
    judgeInterruption,
    ({ failed, requests }) => `endpoint killed: ${failed} of ${requests} failed`,
  )
  const endpointBack = await claims.play(
    'endpointBack',
    () => endpointReturns(stage),
    judgeReturn,
    ({ served, failed }) => `... and back: it served ${served} requests, ${failed} failed`,
  )
  return {
    endpointKilled: endpointKilled && figures(endpointKilled),
    endpointBack,
    ...(await outage(claims, stage)),
  }
}

/** Plays the story and gives the report that `--ci` ends in: `ok` only if every claim holds. */
export async function ciStory(stage: Stage, say: Say) {
  const claims = new Claims(say)
  const { splits, ...well } = await whileWell(claims, stage)
  // Before sidecars are killed, and what they counted goes with them.
  await mtls(claims, stage)
  const broken = await whileBroken(claims, stage)
  splits.push(await split(claims, stage, splitSteps[0]))
  const seen = await mtls(claims, stage)
  const { total, mesh } = stage
  // Everything else that was asked for in the course of the story, but for v2 failing on purpose.
  claims.check('requests', judgeOutage(total))
  for (const fallen of mesh.fallen) claims.check('processes', fallen)
  return {
    ok: claims.problems.length === 0,
    problems: claims.problems,
    requests: total.requests,
    failed: total.failed,
    split: splits,
    ...well,
    mtls: seen && mtlsReport(seen),
    ...broken,
  }
}

function mtlsReport({ hops, relayedBytes, clearTextSeen }: MtlsObservation) {
  const authenticated = hops.every((hop) => hop.inClear === 0)
  return { hops, authenticated, recordedBytes: relayedBytes, clearTextSeen }
}

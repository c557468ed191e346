/** `weft demo`: a whole mesh on this machine, and the story that shows what it does. */
import { judgeConvergence, judgeMtls, judgeOutage, judgeSplit, judgeTrace } from './claims.ts'
import { Load, newTally } from './load.ts'
import { DemoMesh } from './mesh.ts'
import {
  controlPlaneScene,
  convergenceScene,
  during,
  endpointScene,
  mtlsScene,
  splitScene,
  type Stage,
  traceScene,
} from './scenes.ts'
import { View } from './view.ts'

export type DemoOptions = { readonly ci: boolean; readonly zipkinUrl: string | undefined }

const steps = [
  { v1: 90, v2: 10 },
  { v1: 50, v2: 50 },
  { v1: 0, v2: 100 },
] as const
const requestsPerStep = 5000
const convergenceWrites = 25
const outageSeconds = 6

/** Returns the exit status. Nothing is left running, however it ends. */
export async function demo(options: DemoOptions): Promise<number> {
  const mesh = await DemoMesh.prepare(options.zipkinUrl)
  const loads = new Map<string, Load>()
  const loadOf = (name: string): Load => {
    const load = loads.get(name) ?? new Load(mesh.pod(name).outboundPort)
    loads.set(name, load)
    return load
  }
  const view = new View(!options.ci && process.stdout.isTTY)
  const stage: Stage = {
    mesh,
    load: loadOf('client'),
    total: newTally(),
    onAnswer: (answer) => view.answer(answer),
  }
  let failed = true
  const end = async (): Promise<void> => {
    view.stop()
    for (const load of loads.values()) load.close()
    await mesh.stop(failed)
    if (failed) process.stderr.write(`logs: ${mesh.logFolder}\n`)
  }
  const interrupt = (): void => {
    failed = false
    void end().then(() => process.exit(0))
  }
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  try {
    view.event(`starting; logs are in ${mesh.logFolder}`)
    await mesh.start(steps[0])
    if (!options.ci) await liveStory(stage, view)
    const report = await ciStory(stage, loadOf, (text) => view.event(text))
    failed = !report.ok
    process.stdout.write(`${JSON.stringify(report)}\n`)
    return report.ok ? 0 : 1
  } catch (error) {
    // The last line is an object whatever happens: that is what scripts read.
    process.stdout.write(
      `${JSON.stringify({ ok: false, problems: [error instanceof Error ? error.message : String(error)] })}\n`,
    )
    return 1
  } finally {
    await end()
  }
}

async function ciStory(stage: Stage, loadOf: (name: string) => Load, say: (text: string) => void) {
  const trace = await traceScene(stage)
  say(`one trace through ${trace.seen.map(({ app }) => app).join(' -> ')}`)
  const split = []
  for (const weights of steps) {
    const observation = await splitScene(stage, weights, requestsPerStep)
    say(`split: ${observation.configured} % configured, ${observation.observed} % observed`)
    split.push(observation)
  }
  const convergence = await convergenceScene(stage, loadOf, convergenceWrites)
  say(`convergence: p50 ${convergence.p50} ms, p99 ${convergence.p99} ms`)
  const mtls = await mtlsScene(stage)
  say(`mTLS: ${mtls.hops.length} sidecars heard, ${mtls.relayedBytes} bytes recorded between two of them`)
  const endpoint = await endpointScene(stage, 3)
  say(`endpoint killed: ${endpoint.failed} of ${endpoint.requests} failed`)
  const outage = await controlPlaneScene(stage, outageSeconds)
  say(
    `control plane killed for ${outage.killed.seconds} s: ${outage.killed.failed} of ${outage.killed.requests} failed`,
  )
  const after = await splitScene(stage, steps[0], requestsPerStep)
  say(`after its return: ${after.configured} % configured, ${after.observed} % observed`)
  const problems = [
    judgeTrace(trace.sent, trace.seen),
    ...[...split, after].map(judgeSplit),
    judgeConvergence(convergence),
    judgeMtls(mtls),
    judgeOutage('endpoint killed', endpoint),
    judgeOutage('control plane killed', outage.killed),
    judgeOutage('sidecar restarted meanwhile', outage.restarted),
  ].filter((problem) => problem !== undefined)
  return {
    ok: problems.length === 0,
    problems,
    requests: stage.total.requests,
    failed: stage.total.failed,
    split: [...split, after],
    convergenceMs: convergence,
    mtls: {
      hops: mtls.hops,
      authenticated: mtls.hops.every((hop) => hop.inClear === 0),
      recordedBytes: mtls.relayedBytes,
      clearTextSeen: mtls.clearTextSeen,
    },
    endpointKilled: { requests: endpoint.requests, failed: endpoint.failed },
    controlPlaneKilled: outage.killed,
    sidecarRestartedMeanwhile: outage.restarted,
    traceparent: { sent: trace.sent, seen: trace.seen },
  }
}

/** The same scenes for people, slower and again and again; ends with Ctrl-C. */
async function liveStory(stage: Stage, view: View): Promise<never> {
  const { mesh } = stage
  view.start()
  view.event(`edit ${mesh.splitFile} to try weights of your own`)
  const refresh = async (): Promise<void> => {
    view.panel = { ...view.panel, hops: (await mtlsScene(stage)).hops }
  }
  const scene = async (text: string, seconds: number, act?: () => Promise<void>): Promise<void> => {
    view.event(text)
    await during(stage, seconds * 1000, act)
    await refresh()
  }
  while (true) {
    for (const weights of steps) {
      view.panel = { ...view.panel, configured: (100 * weights.v2) / (weights.v1 + weights.v2) }
      await scene(`weights ${weights.v1}/${weights.v2} are written`, 8, async () => mesh.writeSplit(weights))
    }
    await scene('v2 fails: its answers are 500', 5, async () => {
      for (const name of ['catalog-v2-a', 'catalog-v2-b']) await mesh.setFailing(name, true)
    })
    await scene('v2 is well again', 5, async () => {
      for (const name of ['catalog-v2-a', 'catalog-v2-b']) await mesh.setFailing(name, false)
    })
    await scene('an endpoint of v2 is killed', 6, () => mesh.killPod('catalog-v2-a'))
    await scene('... and comes back', 4, () => mesh.restartPod('catalog-v2-a'))
    await scene('the control plane is killed', 8, () => mesh.killControlPlane())
    await scene('... and comes back', 4, () => mesh.startControlPlane())
  }
}

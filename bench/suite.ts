/** Runs a scenario: starts its subjects, warms them, measures them round by round, and makes sure of what they did. */
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Backend } from './backend.ts'
import type { Generator } from './load/generator.ts'
import { stealMeter } from './machine.ts'
import { measure, warmUp } from './measure.ts'
import type { Peer, RunningPeer } from './peer.ts'
import { runRounds } from './rounds.ts'
import type { Sample, Scenario, ScenarioResult, Subject } from './scenario.ts'

export type Pace = {
  readonly rounds: number
  readonly spareRounds: number
  readonly roundSeconds: number
  readonly warmUpRequests: number
  /** When, by performance.now(), the rounds of a scenario are to end; Infinity: when they are done. */
  readonly deadlineMs: number
}

export type Bench = {
  readonly peers: readonly Peer[]
  readonly backend: Backend
  readonly generator: Generator
  /** Where peers keep their files. */
  readonly folder: string
  readonly pace: Pace
  /** Told what is being done, for people who wait. */
  readonly progress: (line: string) => void
}

let folders = 0

function start(
  { folder, backend }: Bench,
  peer: Peer,
  scenario: Scenario,
  subject: Subject,
): Promise<RunningPeer> {
  const own = path.join(folder, `${folders++}-${peer.name}`)
  mkdirSync(own)
  return peer.start({
    topology: scenario.topology,
    variant: subject.variant,
    backendPort: backend.port,
    folder: own,
  })
}

type Present = { readonly subject: Subject; readonly peer: Peer }

/** The subjects whose peers are there, and why the others are not. */
function presence(
  peers: readonly Peer[],
  { subjects, topology }: Scenario,
): { readonly present: readonly Present[]; readonly missing: readonly string[] } {
  const present: Present[] = []
  const missing: string[] = []
  for (const subject of subjects) {
    const peer = peers.find(({ name }) => name === subject.peer)
    if (peer === undefined || !peer.topologies.includes(topology))
      throw new Error(`there is no ${topology} of '${subject.peer}'`)
    const available = peer.available()
    if (available === true) present.push({ subject, peer })
    else if (!missing.includes(available)) missing.push(available)
  }
  return { present, missing }
}

/** A start is a round of its own. */
async function measureStart(bench: Bench, scenario: Scenario, { subject, peer }: Present): Promise<Sample> {
  const running = await start(bench, peer, scenario, subject)
  await running.stop()
  return { metrics: { readyMs: running.readyMs } }
}

type Started = { readonly subject: Subject; readonly running: RunningPeer }

async function startAll(
  bench: Bench,
  scenario: Scenario,
  present: readonly Present[],
  stack: AsyncDisposableStack,
): Promise<Started[]> {
  const started: Started[] = []
  for (const { subject, peer } of present) {
    const running = await start(bench, peer, scenario, subject)
    stack.defer(() => running.stop())
    started.push({ subject, running })
  }
  return started
}

/** Rejects when a subject does not start, a request fails or a subject did not do what the scenario is about. */
export async function runScenario(bench: Bench, scenario: Scenario): Promise<ScenarioResult> {
  await using stack = new AsyncDisposableStack()
  const { generator, pace, progress } = bench
  const { present, missing } = presence(bench.peers, scenario)
  const rounds = {
    rounds: pace.rounds,
    spareRounds: pace.spareRounds,
    steal: stealMeter(),
    outOfTime: () => performance.now() > pace.deadlineMs,
    onRound: (done: number, repeated: number) =>
      progress(
        `${scenario.name}: round ${done} of ${pace.rounds}${repeated > 0 ? `, ${repeated} repeated` : ''}`,
      ),
  }
  const named = ({
    samples,
    ...rest
  }: Awaited<ReturnType<typeof runRounds<unknown, Sample>>>): ScenarioResult => ({
    scenario,
    missing,
    ...rest,
    subjects: present.map(({ subject }, i) => ({ name: subject.name, samples: samples[i] ?? [] })),
  })
  if (scenario.load.kind === 'starts') {
    const measureOne = (one: Present): Promise<Sample> => measureStart(bench, scenario, one)
    return named(await runRounds({ ...rounds, subjects: present, measure: measureOne }))
  }
  const subjects = await startAll(bench, scenario, present, stack)
  for (const { subject, running } of subjects) {
    if (running.processes.length === 0) continue
    progress(`${scenario.name}: warming ${subject.name}`)
    await warmUp(generator, scenario, running, pace.warmUpRequests)
  }
  const measureOne = ({ subject, running }: Started): Promise<Sample> =>
    measure(generator, scenario, subject, running, pace.roundSeconds)
  const measured = await runRounds({ ...rounds, subjects, measure: measureOne })
  for (const { running } of subjects) await running.verify()
  return named(measured)
}

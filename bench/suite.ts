/** Runs a scenario: starts its subjects, warms them, measures them round by round, and makes sure of what they did. */
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Backend } from './backend.ts'
import type { Generator } from './load/generator.ts'
import { stealMeter } from './machine.ts'
import { measure, warmUp } from './measure.ts'
import type { Peer, RunningPeer } from './peer.ts'
import { type Rounds, runRounds } from './rounds.ts'
import { type Sample, type Scenario, scenarioOf, type ScenarioResult, type Subject } from './scenario.ts'

export type Pace = {
  readonly rounds: number
  readonly spareRounds: number
  readonly roundSeconds: number
  readonly warmUpRequests: number
  /** After which it is enough, however few these were. */
  readonly warmUpSeconds: number
  /** When, by performance.now(), the rounds of a scenario are to end; Infinity: when they are done. */
  readonly deadlineMs: number
  /** How many scenarios run side by side; with more than one no figure means anything. */
  readonly lanes: number
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
  const { topology, protocol } = scenarioOf(scenario, subject)
  return peer.start({
    topology,
    protocol,
    variant: subject.variant,
    backendPort: backend.ports[protocol],
    folder: own,
  })
}

type Present = { readonly subject: Subject; readonly peer: Peer }

/** The subjects whose peers are there, and why the others are not. */
function presence(
  peers: readonly Peer[],
  scenario: Scenario,
): { readonly present: readonly Present[]; readonly missing: readonly string[] } {
  const present: Present[] = []
  const missing: string[] = []
  const { subjects, topology } = scenario
  for (const subject of subjects) {
    const { protocol } = scenarioOf(scenario, subject)
    const peer = peers.find(({ name }) => name === subject.peer)
    if (!peer?.topologies.includes(topology) || !peer.protocols.includes(protocol))
      throw new Error(`there is no ${topology} of '${subject.peer}' for ${protocol}`)
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

async function warmAll(
  { generator, pace, progress }: Bench,
  scenario: Scenario,
  started: readonly Started[],
): Promise<void> {
  for (const { subject, running } of started) {
    if (running.processes.length === 0) continue
    progress(`${scenario.name}: warming ${subject.name}`)
    await warmUp(generator, scenarioOf(scenario, subject), subject.name, running, pace)
  }
}

/** What all measurements of a scenario have in common. */
function roundsOptions({ pace, progress }: Bench, { name }: Scenario) {
  const { rounds, spareRounds, deadlineMs } = pace
  return {
    rounds,
    spareRounds,
    steal: stealMeter(),
    outOfTime: () => performance.now() > deadlineMs,
    onRound: (done: number, repeated: number) =>
      progress(`${name}: round ${done} of ${rounds}${repeated > 0 ? `, ${repeated} repeated` : ''}`),
  }
}

async function measureLoaded(
  bench: Bench,
  scenario: Scenario,
  present: readonly Present[],
): Promise<Rounds<Sample>> {
  await using stack = new AsyncDisposableStack()
  const started = await startAll(bench, scenario, present, stack)
  await warmAll(bench, scenario, started)
  const measured = await runRounds({
    ...roundsOptions(bench, scenario),
    subjects: started,
    measure: ({ subject, running }) =>
      measure(bench.generator, scenarioOf(scenario, subject), subject, running, bench.pace.roundSeconds),
  })
  for (const { running } of started) await running.verify()
  return measured
}

/** Rejects when a subject does not start, a request fails or a subject did not do what the scenario is about. */
export async function runScenario(bench: Bench, scenario: Scenario): Promise<ScenarioResult> {
  const { present, missing } = presence(bench.peers, scenario)
  const { samples, repeated, steal } =
    scenario.load.kind === 'starts'
      ? await runRounds({
          ...roundsOptions(bench, scenario),
          subjects: present,
          measure: (one) => measureStart(bench, scenario, one),
        })
      : await measureLoaded(bench, scenario, present)
  const subjects = present.map(({ subject }, i) => ({ name: subject.name, samples: samples[i] ?? [] }))
  return { scenario, subjects, missing, repeated, steal }
}

/** Runs a scenario: all its subjects in each round, there and back, so that what the machine does meanwhile hits all alike. */
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Histogram } from 'hdr-histogram-js'
import type { Backend } from './backend.ts'
import type { Generator } from './load/generator.ts'
import { runWrk } from './load/wrk.ts'
import type { Peer, RunningPeer } from './peer.ts'
import { cpuNs } from './process.ts'
import { type Scenario, type Subject, subjectName } from './scenario.ts'

export type Round = {
  readonly requests: number
  readonly seconds: number
  /** Microseconds of CPU per request, of all the subject's processes. */
  readonly cpuUs: number
  /** Of a paced load. */
  readonly latencyUs: Histogram | undefined
  readonly latenessUs: Histogram | undefined
}

export type SubjectResult = { readonly name: string; readonly rounds: Round[] }
export type ScenarioResult = {
  readonly scenario: Scenario
  readonly subjects: readonly SubjectResult[]
  readonly missing: readonly string[]
}

export type Pace = { readonly rounds: number; readonly roundSeconds: number; readonly warmUpRequests: number }

export type Bench = {
  readonly peers: readonly Peer[]
  readonly backend: Backend
  readonly generator: Generator
  /** Where peers keep their files. */
  readonly folder: string
  readonly pace: Pace
  readonly log: (line: string) => void
}

const warmUpConnections = 16
const warmUpStepSeconds = 2

type Started = SubjectResult & { readonly running: RunningPeer }

let folders = 0

async function startSubject(bench: Bench, scenario: Scenario, subject: Subject): Promise<Started | string> {
  const peer = bench.peers.find(({ name }) => name === subject.peer)
  const available = peer === undefined ? `there is no peer '${subject.peer}'` : peer.available()
  if (peer === undefined || available !== true) return String(available)
  const folder = path.join(bench.folder, `${folders++}-${peer.name}`)
  mkdirSync(folder)
  const running = await peer.start({
    topology: scenario.topology,
    backendPort: bench.backend.port,
    folder,
    routes: subject.routes,
  })
  return { name: subjectName(subject), running, rounds: [] }
}

/** Requests until the JIT has seen enough of them: cold, it costs half as much again. */
async function warmUp(bench: Bench, scenario: Scenario, { name, running }: Started): Promise<void> {
  if (running.processes.length === 0) return
  for (let done = 0; done < bench.pace.warmUpRequests; ) {
    const { requests, errors } = await runWrk({
      port: running.port,
      connections: warmUpConnections,
      request: scenario.request,
      seconds: warmUpStepSeconds,
    })
    if (errors > 0 || requests === 0) throw new Error(`${name}: ${errors} of ${requests} requests failed`)
    done += requests
  }
}

function cpuOf({ processes }: RunningPeer): number {
  return processes.reduce((sum, { pid }) => sum + cpuNs(pid), 0)
}

type Loaded = {
  readonly requests: number
  readonly errors: number
  readonly latencyUs?: Histogram
  readonly latenessUs?: Histogram
}

/** Prepares the load and gives what runs it, so that the preparation is not measured. */
async function loadFor(bench: Bench, scenario: Scenario, port: number): Promise<() => Promise<Loaded>> {
  const { load, request } = scenario
  const seconds = bench.pace.roundSeconds
  const { connections } = load
  if (load.kind === 'saturated') return () => runWrk({ port, connections, request, seconds })
  await bench.generator.prepare({ port, connections, request, ratePerSecond: load.ratePerSecond, seconds })
  return async () => {
    const { completed, ...rest } = await bench.generator.run()
    return { requests: completed, ...rest }
  }
}

/** Throws when a request failed: a fast failure is no result. */
async function measure(bench: Bench, scenario: Scenario, { name, running }: Started): Promise<Round> {
  const run = await loadFor(bench, scenario, running.port)
  const before = cpuOf(running)
  const { requests, errors, latencyUs, latenessUs } = await run()
  const cpuUs = (cpuOf(running) - before) / 1000 / requests
  if (errors > 0 || requests === 0) throw new Error(`${name}: ${errors} of ${requests} requests failed`)
  return { requests, seconds: bench.pace.roundSeconds, cpuUs, latencyUs, latenessUs }
}

export async function runScenario(bench: Bench, scenario: Scenario): Promise<ScenarioResult> {
  const started: Started[] = []
  const missing: string[] = []
  try {
    for (const subject of scenario.subjects) {
      const result = await startSubject(bench, scenario, subject)
      if (typeof result === 'string') missing.push(result)
      else started.push(result)
    }
    for (const subject of started) await warmUp(bench, scenario, subject)
    for (let round = 0; round < bench.pace.rounds; round++) {
      const order = round % 2 === 0 ? started : started.toReversed()
      for (const subject of order) subject.rounds.push(await measure(bench, scenario, subject))
      bench.log(`${scenario.name}: round ${round + 1} of ${bench.pace.rounds}`)
    }
  } finally {
    await Promise.all(started.map(({ running }) => running.stop()))
  }
  return { scenario, subjects: started.map(({ name, rounds }) => ({ name, rounds })), missing }
}

/** One subject under one load, for one round. */
import { runAutocannon } from './load/autocannon.ts'
import type { Generator } from './load/generator.ts'
import { runH2load } from './load/h2load.ts'
import { runTransfer } from './load/transfer.ts'
import { runWrk, type WrkResult } from './load/wrk.ts'
import type { RunningPeer } from './peer.ts'
import { cpuNs, memoryOf } from './process.ts'
import type { Load, Sample, Scenario, Subject } from './scenario.ts'

type Counted = {
  readonly completed: number
  readonly errors: number
  /** What became of the failed ones, where it is known. */
  readonly reasons?: Readonly<Record<string, number>>
  readonly seconds: number
  readonly reconnects?: number
} & Pick<Sample, 'latencyUs' | 'latenessUs'>

const bytesPerMb = 1e6

/** Prepares a load and gives what runs it, so that the preparation is not measured. */
async function prepared(
  generator: Generator,
  { load, protocol, request }: Scenario,
  { port, clientTls }: RunningPeer,
  seconds: number,
): Promise<() => Promise<Counted>> {
  switch (load.kind) {
    case 'saturated': {
      const run = load.by === 'autocannon' ? runAutocannon : runWrk
      return () => counted(run({ port, connections: load.connections, request, seconds }), seconds)
    }
    case 'connections':
      return () => counted(runWrk({ port, connections: load.connections, request, seconds }), seconds)
    case 'streams': {
      const { connections, streams } = load
      const streamed = { port, connections, streams, request, seconds }
      if (!load.uniqueFields) return () => counted(runH2load(streamed), seconds)
      await generator.prepare({ kind: 'unique-fields', ...streamed })
      break
    }
    case 'paced': {
      const { connections, ratePerSecond } = load
      const paced = { port, connections, request, ratePerSecond, seconds }
      await generator.prepare({ kind: 'open-loop', protocol, ...paced })
      break
    }
    case 'transfer': {
      const { direction, bytes } = load
      return async () => {
        const result = await runTransfer({ port, protocol, direction, bytes })
        return { completed: result.bytes / bytesPerMb, errors: 0, seconds: result.seconds }
      }
    }
    case 'handshakes': {
      if (clientTls === undefined) throw new Error('there is no certificate to show')
      const { connections, resumed } = load
      await generator.prepare({ kind: 'handshakes', port, connections, resumed, request, seconds, clientTls })
      break
    }
    case 'starts':
      throw new Error('a start is no load')
  }
  return async () => ({ seconds, ...(await generator.run()) })
}

async function counted(running: Promise<WrkResult>, seconds: number): Promise<Counted> {
  const { requests, errors } = await running
  return { completed: requests, errors, seconds }
}

function cpuNsOf({ processes }: RunningPeer): number {
  return processes.reduce((sum, { pid }) => sum + cpuNs(pid), 0)
}

/** Of its largest process. */
function memoryMetrics({ processes }: RunningPeer): Sample['metrics'] {
  if (processes.length === 0) return {}
  const used = processes.map(({ pid }) => memoryOf(pid))
  return {
    rssMb: Math.max(...used.map(({ rss }) => rss)) / bytesPerMb,
    anonymousMb: Math.max(...used.map(({ anonymous }) => anonymous)) / bytesPerMb,
  }
}

/** Begins to change the configuration where the subject is about that; what it gives ends it. */
async function changing(
  { name, changesPerSecond }: Pick<Subject, 'name' | 'changesPerSecond'>,
  { churn }: RunningPeer,
): Promise<() => Promise<void>> {
  if (changesPerSecond === 0) return () => Promise.resolve()
  if (churn === undefined) throw new Error(`the configuration of ${name} cannot be changed`)
  return churn(changesPerSecond)
}

/** A fast failure is no result. */
function refuseFailures(name: string, { completed, errors, reasons = {} }: Counted): void {
  if (errors === 0 && completed > 0) return
  const told = Object.entries(reasons).map(([reason, count]) => `, ${count} x ${reason}`)
  throw new Error(`${name}: ${errors} of ${completed + errors} failed${told.join('')}`)
}

/** Rejects when a request failed. */
export async function measure(
  generator: Generator,
  scenario: Scenario,
  subject: Pick<Subject, 'name' | 'changesPerSecond'>,
  running: RunningPeer,
  seconds: number,
): Promise<Sample> {
  const run = await prepared(generator, scenario, running, seconds)
  const settle = await changing(subject, running)
  const before = cpuNsOf(running)
  const result = await run().catch(async (error: unknown) => {
    await settle()
    throw error
  })
  const cpuUs = (cpuNsOf(running) - before) / 1000 / result.completed
  await settle()
  refuseFailures(subject.name, result)
  const cost = running.processes.length === 0 ? {} : { cpuUs }
  const perSecond = result.completed / result.seconds
  const { latencyUs, latenessUs, reconnects } = result
  const reopened = reconnects === undefined ? {} : { reconnects }
  return {
    metrics: { ...cost, perSecond, ...reopened, ...memoryMetrics(running) },
    ...(latencyUs === undefined ? {} : { latencyUs }),
    ...(latenessUs === undefined ? {} : { latenessUs }),
  }
}

/** What is enough: so many requests, or so long. */
export type WarmUp = { readonly warmUpRequests: number; readonly warmUpSeconds: number }

/** Requests, as many as the JIT has to see: cold, it costs half as much again. Of handshakes, which are heavy, fewer. */
export async function warmUp(
  generator: Generator,
  scenario: Scenario,
  name: string,
  running: RunningPeer,
  pace: WarmUp,
): Promise<void> {
  const load = warmUpLoad(scenario)
  const { warmUpRequests, warmUpSeconds } = pace
  const enough = warmUpRequests / (worth[load.kind] ?? 1)
  for (let done = 0, seconds = 0; done < enough && seconds < warmUpSeconds; seconds += stepSeconds) {
    const run = await prepared(generator, { ...scenario, load }, running, stepSeconds)
    const result = await run()
    refuseFailures(`warming ${name}`, result)
    done += result.completed
  }
}

const stepSeconds = 1
const warmUpConnections = 16
const warmUpStreams = { connections: 8, streams: 16 }
/** What is more than a request is needed less often. */
const worth: Partial<Record<Load['kind'], number>> = { handshakes: 50, transfer: 50 }

function warmUpLoad({ load, protocol, warmUp: how }: Scenario): Load {
  if (how === 'own') return load
  return protocol === 'http2'
    ? { kind: 'streams', ...warmUpStreams, uniqueFields: false }
    : { kind: 'saturated', connections: warmUpConnections }
}

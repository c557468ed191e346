/** A CPU profile of each sidecar under the load of a scenario: written as files, and its largest parts as a table. */
import { mkdirSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { freePorts } from '../../cli/demo/ports.ts'
import { bundleOf } from '../../deploy/bundle.ts'
import { measure, warmUp } from '../measure.ts'
import type { MeasuredProcess, RunningPeer } from '../peer.ts'
import { startWeft } from '../peers/weft.ts'
import { threadCpuNs } from '../process.ts'
import type { Scenario, Subject } from '../scenario.ts'
import type { Bench } from '../suite.ts'
import { Inspector } from './inspector.ts'
import { type CpuProfile, formatSelfTimes, selfTimes } from './self-time.ts'
import { withSourcePositions } from './source-positions.ts'
import { sampleWithoutBias } from './unbiased.ts'

type Role = MeasuredProcess['role']

const profileSeconds = 8
const shownFunctions = 40

type Profiled = {
  readonly role: Role
  readonly profile: CpuProfile
  /** Of the main thread, by the kernel's account: the one that samples has a cost of its own. */
  readonly cpuUs: number
  readonly unbiased: boolean
}

type Inspected = MeasuredProcess & { readonly inspector: Inspector; readonly unbiased: boolean }

function subjectOf({ subjects, load, name }: Scenario): Subject {
  const subject = subjects.find(({ peer }) => peer === 'weft')
  if (subject === undefined || load.kind === 'starts')
    throw new Error(`${name} puts no sidecar of a mesh under load`)
  return subject
}

async function inspect(
  { processes }: RunningPeer,
  ports: Readonly<Record<Role, number>>,
): Promise<Inspected[]> {
  const inspected: Inspected[] = []
  for (const [i, { role, pid }] of processes.entries()) {
    const inspector = await Inspector.connect(ports[role])
    await inspector.startProfile()
    inspected.push({ role, pid, inspector, unbiased: sampleWithoutBias(pid, i % os.cpus().length) })
  }
  return inspected
}

async function profileDuring(
  inspected: readonly Inspected[],
  load: () => Promise<void>,
): Promise<Profiled[]> {
  const before = inspected.map(({ pid }) => threadCpuNs(pid))
  await load()
  const after = inspected.map(({ pid }) => threadCpuNs(pid))
  const profiled: Profiled[] = []
  for (const [i, { role, inspector, unbiased }] of inspected.entries()) {
    const profile = withSourcePositions(await inspector.stopProfile(), bundleOf('proxy'))
    inspector.close()
    const cpuUs = ((after[i] as number) - (before[i] as number)) / 1000
    profiled.push({ role, profile, cpuUs, unbiased })
  }
  return profiled
}

function table({ name }: Scenario, { role, profile, cpuUs, unbiased }: Profiled, requests: number): string {
  const head = `${name}, ${role} sidecar: ${(cpuUs / requests).toFixed(1)} us of CPU per request, ${Math.round(requests)} requests`
  const reads =
    'Reading from sockets and waiting for them is not in the table: V8 takes both to be idle time.'
  const bias = 'Without root the samples are biased: what comes before a system call is counted as the call.'
  const lines = unbiased ? [head, reads] : [head, reads, bias]
  return `\n${lines.join('\n')}\n${formatSelfTimes(selfTimes(profile), requests, shownFunctions)}`
}

export type ProfileReport = { readonly file: string; readonly text: string }

/** Writes a file for each sidecar under `results`. */
export async function profileScenario(
  { backend, generator, folder, pace }: Bench,
  scenario: Scenario,
  results: string,
): Promise<ProfileReport[]> {
  await using stack = new AsyncDisposableStack()
  const subject = subjectOf(scenario)
  const [outbound, inbound] = (await freePorts(2)) as [number, number]
  const ports: Readonly<Record<Role, number>> = { outbound, inbound }
  const own = path.join(folder, `profile-${scenario.name}`)
  mkdirSync(own)
  const running = await startWeft(
    {
      topology: scenario.topology,
      protocol: scenario.protocol,
      variant: subject.variant,
      backendPort: backend.ports[scenario.protocol],
      folder: own,
    },
    { nodeArgs: (role) => [`--inspect=127.0.0.1:${ports[role]}`] },
  )
  stack.defer(() => running.stop())
  await warmUp(generator, scenario, subject.name, running, pace)
  let requests = 0
  const profiled = await profileDuring(await inspect(running, ports), async () => {
    const { metrics } = await measure(generator, scenario, subject, running, profileSeconds)
    requests = (metrics.perSecond ?? 0) * profileSeconds
  })
  mkdirSync(results, { recursive: true })
  return profiled.map((one) => {
    const file = path.join(results, `${scenario.name}-${one.role}.cpuprofile`)
    writeFileSync(file, JSON.stringify(one.profile))
    return { file, text: table(scenario, one, requests) }
  })
}

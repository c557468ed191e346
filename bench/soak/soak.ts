/** Sidecars under a load for minutes, their memory read every second: whether it stays where it is. */
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { measure } from '../measure.ts'
import { usualPace, withBench } from '../open-bench.ts'
import type { MeasuredProcess, RunningPeer } from '../peer.ts'
import { startWeft } from '../peers/weft.ts'
import { memoryOf } from '../process.ts'
import type { Scenario } from '../scenario.ts'
import type { Bench } from '../suite.ts'
import { write } from '../write.ts'
import { type Reading, trendOf } from './trend.ts'

/**
 * Flat: by no more may the memory of a process rise. A heap grows by half of what is alive (11 MB) before it is collected,
 * and where little becomes garbage that takes longer than a soak.
 */
const mayRiseMb = 6
/** At first code is compiled, and a heap grows to its size: of a minute or a fifth, whichever is less. */
const settlingShare = 0.2
const settlingSeconds = 60
const readEveryMs = 1000
/** Of one call of the load's program. */
const partSeconds = 10
const bytesPerMb = 1e6

type Kind = 'RSS' | 'anonymous'
type Watched = MeasuredProcess & { readonly readings: Record<Kind, Reading[]> }

function readAll(watched: readonly Watched[], seconds: number): void {
  for (const { pid, readings } of watched) {
    const { rss, anonymous } = memoryOf(pid)
    readings.RSS.push({ seconds, value: rss / bytesPerMb })
    readings.anonymous.push({ seconds, value: anonymous / bytesPerMb })
  }
}

/** Keeps up the load for so long, and reads meanwhile; the requests that were answered. */
async function watch(
  { generator }: Bench,
  scenario: Scenario,
  running: RunningPeer,
  watched: readonly Watched[],
  seconds: number,
): Promise<number> {
  const startedMs = performance.now()
  const elapsed = (): number => (performance.now() - startedMs) / 1000
  const timer = setInterval(() => readAll(watched, elapsed()), readEveryMs)
  const subject = { name: 'weft', changesPerSecond: 0 }
  let requests = 0
  try {
    while (elapsed() < seconds) {
      const { metrics } = await measure(generator, scenario, subject, running, partSeconds)
      requests += (metrics.perSecond ?? 0) * partSeconds
    }
  } finally {
    clearInterval(timer)
  }
  return requests
}

function report({ role, readings }: Watched, from: number): boolean {
  const trends = (['RSS', 'anonymous'] as const).map((kind) => {
    const { spread, largest, rise } = trendOf(readings[kind].filter(({ seconds }) => seconds >= from))
    const isFlat = rise <= mayRiseMb
    const figures = `${spread.median.toFixed(1)} MB (quartiles ${spread.lower.toFixed(1)}-${spread.upper.toFixed(1)}, most ${largest.toFixed(1)})`
    write(
      `  ${role} ${kind}: ${figures}, rises by ${rise.toFixed(1)} MB of at most ${mayRiseMb}${isFlat ? '' : ': NOT FLAT'}`,
    )
    return isFlat
  })
  return trends.every(Boolean)
}

async function soakOne(bench: Bench, scenario: Scenario, seconds: number): Promise<boolean> {
  const folder = path.join(bench.folder, `soak-${scenario.name}`)
  mkdirSync(folder)
  const running = await startWeft({
    topology: scenario.topology,
    protocol: scenario.protocol,
    variant: { routes: 1, spans: false },
    backendPort: bench.backend.ports[scenario.protocol],
    folder,
  })
  try {
    const watched = running.processes.map((one) => ({ ...one, readings: { RSS: [], anonymous: [] } }))
    const requests = await watch(bench, scenario, running, watched, seconds)
    const from = Math.min(settlingSeconds, seconds * settlingShare)
    write(`\n${scenario.name}: ${scenario.title}`)
    write(`  ${Math.round(requests)} requests in ${seconds} s, memory from second ${Math.round(from)} on`)
    return watched.map((one) => report(one, from)).every(Boolean)
  } finally {
    await running.stop()
  }
}

/** Gives the exit status: 1 when the memory of a process rises. */
export async function soak(chosen: readonly Scenario[], minutes: number): Promise<number> {
  const kept: boolean[] = []
  await withBench(usualPace, async (bench) => {
    for (const scenario of chosen) kept.push(await soakOne(bench, scenario, minutes * 60))
  })
  return kept.every(Boolean) ? 0 : 1
}

/**
 * `npm run bench:balancing`: what clients notice of endpoints that are stuck or fail, by balancer; the endpoints, the
 * clients, the sidecar and its control plane are processes of their own. Fails when a claim is lost.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { WeftError } from '../../core/errors.ts'
import { runMain } from '../../core/main-guard.ts'
import { bundleProcesses } from '../../deploy/bundle.ts'
import { readMachine } from '../machine.ts'
import { weftVersion } from '../peers/weft-process.ts'
import type { ApplicationAnswer, ApplicationCommand } from './application-process.ts'
import { BalancingMesh } from './balancing-mesh.ts'
import { Child } from './child.ts'
import { judge } from './claims.ts'
import type { ClientLoad, ClientResult } from './client-process.ts'
import { type Outcome, outcomeOf } from './outcome.ts'
import { pickCosts } from './pick-cost.ts'
import { balancingPage, type ScenarioReport } from './report-page.ts'
import { outcomeText } from './report-text.ts'
import { type BalancingScenario, balancingScenarios, type Subject } from './scenarios.ts'

const usage = `usage: npm run bench:balancing -- [options]
  nothing          every scenario; tables, and a page with plots under bench/results/
  --scenario NAME  only this one: stuck-endpoint, failing-endpoint, all-failing
  --smoke          a tenth of the time: whether everything runs, nothing is judged
  --pick           what one pick costs, by balancer
`
const resultsFolder = path.join(import.meta.dirname, '../results')
const warmUpSeconds = 3
const watchEveryMs = 50

function write(line: string): void {
  process.stdout.write(`${line}\n`)
}

type Parts = {
  readonly application: Child<ApplicationCommand, ApplicationAnswer>
  readonly client: Child<ClientLoad, ClientResult>
  readonly folder: string
}

/** When an endpoint is first out of use, in seconds from now, once the watch is stopped. */
function watchEjection(mesh: BalancingMesh): { readonly stop: () => Promise<number | undefined> } {
  const begunMs = performance.now()
  let goOn = true
  const watched = (async () => {
    while (goOn) {
      const view = await mesh.view()
      if (view?.endpoints.some(({ state }) => state === 'ejected') === true)
        return (performance.now() - begunMs) / 1000
      await new Promise((resolve) => setTimeout(resolve, watchEveryMs))
    }
    return undefined
  })()
  return {
    stop: () => {
      goOn = false
      return watched
    },
  }
}

const counters = {
  retries: 'outbound_http_route_retry_requests_total',
  overBudget: 'outbound_http_route_retry_overflow_total',
  ejections: 'outlier_ejections_total',
} as const

async function runSubject(
  scenario: BalancingScenario,
  { balancer, policy }: Subject,
  { application, client, folder }: Parts,
): Promise<Outcome> {
  const { behaviours, ratePerSecond, seconds } = scenario
  const listening = await application.ask({ kind: 'listen', endpoints: behaviours.length })
  if (listening.kind !== 'listening') throw new Error('the application does not listen')
  const mesh = await BalancingMesh.start(mkdtempSync(path.join(folder, 'mesh-')), listening.ports, policy)
  try {
    const calm = behaviours.map((behaviour) => ({ ...behaviour, trouble: undefined }))
    await application.ask({ kind: 'begin', behaviours: calm })
    await client.ask({ port: mesh.port, ratePerSecond, seconds: warmUpSeconds })
    await mesh.untilBalancedBy(balancer)
    const before = await readCounters(mesh)
    await application.ask({ kind: 'begin', behaviours })
    const watch = watchEjection(mesh)
    const result = await client.ask({ port: mesh.port, ratePerSecond, seconds })
    const ejectedAtSecond = await watch.stop()
    const counted = await application.ask({ kind: 'count' })
    const after = await readCounters(mesh)
    return outcomeOf({
      result,
      ratePerSecond,
      arrived: counted.kind === 'counted' ? counted.requests.reduce((sum, count) => sum + count, 0) : 0,
      retries: after.retries - before.retries,
      overBudget: after.overBudget - before.overBudget,
      ejections: after.ejections - before.ejections,
      ejectedAtSecond,
    })
  } finally {
    await mesh.stop()
  }
}

async function readCounters(mesh: BalancingMesh): Promise<Record<keyof typeof counters, number>> {
  const [retries, overBudget, ejections] = await Promise.all([
    mesh.metric(counters.retries),
    mesh.metric(counters.overBudget),
    mesh.metric(counters.ejections),
  ])
  return { retries, overBudget, ejections }
}

async function runScenario(
  scenario: BalancingScenario,
  parts: Parts,
  judged: boolean,
): Promise<ScenarioReport> {
  const outcomes = new Map<string, Outcome>()
  for (const subject of scenario.subjects)
    outcomes.set(subject.name, await runSubject(scenario, subject, parts))
  const claims = judged ? judge(scenario.name, outcomes, scenario.seconds) : []
  write(`\n${outcomeText(scenario.title, outcomes, claims)}`)
  return { title: scenario.title, outcomes, claims }
}

function writePage(reports: readonly ScenarioReport[]): void {
  mkdirSync(resultsFolder, { recursive: true })
  const startedAt = new Date().toISOString()
  const { cores, cpuModel } = readMachine()
  const facts = `weft ${weftVersion()}, Node ${process.versions.node}, ${cores} x ${cpuModel}, ${startedAt}`
  const file = path.join(resultsFolder, `balancing-${startedAt.replaceAll(':', '-')}.html`)
  writeFileSync(file, balancingPage(facts, reports))
  write(`\n${path.relative(process.cwd(), file)}`)
}

async function runScenarios(scenarios: readonly BalancingScenario[], judged: boolean): Promise<number> {
  await bundleProcesses()
  await using stack = new AsyncDisposableStack()
  const folder = mkdtempSync(path.join(tmpdir(), 'weft-balancing-'))
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  const application = new Child<ApplicationCommand, ApplicationAnswer>('./application-process.ts')
  stack.defer(() => application.stop())
  const client = new Child<ClientLoad, ClientResult>('./client-process.ts')
  stack.defer(() => client.stop())
  const reports: ScenarioReport[] = []
  for (const scenario of scenarios)
    reports.push(await runScenario(scenario, { application, client, folder }, judged))
  writePage(reports)
  return reports.every(({ claims }) => claims.every(({ holds }) => holds)) ? 0 : 1
}

async function main(): Promise<number> {
  const flag = { type: 'boolean' } as const
  const { values } = parseArgs({
    options: { scenario: { type: 'string' }, smoke: flag, pick: flag, help: flag },
  })
  if (values.help === true) {
    write(usage)
    return 0
  }
  if (values.pick === true) {
    write(await pickCosts())
    return 0
  }
  const all = balancingScenarios(values.smoke === true ? 0.1 : 1)
  const chosen = all.filter(({ name }) => values.scenario === undefined || name === values.scenario)
  if (chosen.length === 0)
    throw new WeftError('CONFIG_INVALID', `there is no scenario '${values.scenario ?? ''}'`, {
      detail: [usage],
    })
  return runScenarios(chosen, values.smoke !== true)
}

await runMain(async () => {
  process.exitCode = await main()
})

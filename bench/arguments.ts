/** The command line of the bench. Pure. */
import { parseArgs } from 'node:util'
import { reasonOf, WeftError } from '../core/errors.ts'
import { type LoadTool, loadTools, type Scenario } from './scenario.ts'

export type BenchArguments = {
  readonly mode: 'run' | 'smoke' | 'guard' | 'profile' | 'soak' | 'install' | 'list' | 'help'
  /** In the order of the table. */
  readonly scenarios: readonly Scenario[]
  /** undefined: what the mode takes. */
  readonly rounds: number | undefined
  /** How long each scenario of a soak takes. */
  readonly minutes: number
}

export const usage = `usage: npm run bench -- [--scenario NAME[,NAME...]] [--rounds N]
  nothing          every scenario; results as a table, and as JSON and HTML under bench/results/
  --scenario       only these; --list prints their names
  --rounds N       how often each subject is measured (11)
  --load TOOL      wrk, or autocannon: what makes the load where it is saturated
  --smoke          one short round without warm-up: whether everything runs, no figures to quote
  --guard          the limits that can be judged in 3 minutes; fails when one is lost
  --profile        a CPU profile of the sidecar under the load of --scenario (plain-saturated)
  --soak           the sidecar's memory under --scenario (h2c-8x16, h2-mtls-pair-8x16), read every second; fails when it rises
  --minutes N      how long each scenario of --soak takes (10)
  --install        what the peers need that no package of Debian or npm brings: Envoy
`

const modes = ['smoke', 'guard', 'profile', 'soak', 'install', 'list', 'help'] as const
const usualMinutes = 10
/** Where many requests are under way at once: what is alive is most there. */
const soaked: ReadonlySet<string> = new Set(['h2c-8x16', 'h2-mtls-pair-8x16'])

/** Throws WeftError CONFIG_INVALID with every problem. */
export function readArguments(args: readonly string[], scenarios: readonly Scenario[]): BenchArguments {
  const values = parse(args)
  const problems: string[] = []
  const chosen = modes.filter((mode) => values[mode] === true)
  if (chosen.length > 1) problems.push(`--${chosen.join(' and --')} exclude each other`)
  const named = (values.scenario ?? []).flatMap((names) => names.split(','))
  for (const name of named) {
    if (!scenarios.some((scenario) => scenario.name === name))
      problems.push(`--scenario: there is no '${name}'; --list prints all`)
  }
  if (named.length > 0 && chosen[0] === 'guard') problems.push('--guard has scenarios of its own')
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds >= 1))
    problems.push(`--rounds: '${values.rounds}' is no number of rounds`)
  const minutes = Number(values.minutes ?? usualMinutes)
  if (!(minutes > 0)) problems.push(`--minutes: '${values.minutes}' is no time`)
  const tool = loadTools.find((name) => name === (values.load ?? 'wrk'))
  if (tool === undefined) problems.push(`--load: '${values.load}' is not ${loadTools.join(' or ')}`)
  if (values.load !== undefined && chosen[0] === 'guard') problems.push('--guard has a load of its own')
  if (tool === undefined || problems.length > 0) throw wrongCall(problems)
  const mode = chosen[0] ?? 'run'
  return {
    mode,
    scenarios: withLoad(
      named.length > 0 ? scenarios.filter(({ name }) => named.includes(name)) : usualOf(mode, scenarios),
      tool,
    ),
    rounds,
    minutes,
  }
}

function usualOf(mode: BenchArguments['mode'], scenarios: readonly Scenario[]): readonly Scenario[] {
  if (mode === 'soak') return scenarios.filter(({ name }) => soaked.has(name))
  return mode === 'profile' ? scenarios.slice(0, 1) : scenarios
}

function withLoad(scenarios: readonly Scenario[], by: LoadTool): readonly Scenario[] {
  if (by === 'wrk') return scenarios
  return scenarios.map((scenario) =>
    scenario.load.kind === 'saturated' ? { ...scenario, load: { ...scenario.load, by } } : scenario,
  )
}

const flag = { type: 'boolean' } as const

function parse(args: readonly string[]) {
  const options = {
    scenario: { type: 'string', multiple: true },
    rounds: { type: 'string' },
    minutes: { type: 'string' },
    load: { type: 'string' },
    smoke: flag,
    guard: flag,
    profile: flag,
    soak: flag,
    install: flag,
    list: flag,
    help: flag,
  } as const
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    throw wrongCall([reasonOf(error)], error)
  }
}

function wrongCall(detail: readonly string[], cause?: unknown): WeftError {
  return new WeftError('CONFIG_INVALID', 'the bench does not take that', { detail, cause })
}

/** The report for the terminal. Pure. */
import type { Machine } from '../machine.ts'
import type { Quartiles } from '../quartiles.ts'
import type { Column, LimitSummary, RunSummary, ScenarioSummary } from './summary.ts'

export type ColumnStyle = {
  readonly title: string
  readonly digits: number
  readonly spread: boolean
  /** Left out where it is zero for all. */
  readonly rare?: boolean
}

/** In the order of the table. Times of a start in ms, latencies in us. */
export const columnStyles: ReadonlyMap<Column, ColumnStyle> = new Map([
  ['cpuUs', { title: 'CPU us', digits: 1, spread: false }],
  ['cpuRatio', { title: 'x base', digits: 2, spread: true }],
  ['perSecond', { title: 'per s', digits: 0, spread: false }],
  ['p50Us', { title: 'p50 us', digits: 0, spread: false }],
  ['p90Us', { title: 'p90 us', digits: 0, spread: false }],
  ['p99Us', { title: 'p99 us', digits: 0, spread: true }],
  ['p999Us', { title: 'p99.9 us', digits: 0, spread: false }],
  ['lateP99Us', { title: 'late p99 us', digits: 0, spread: false }],
  ['reconnects', { title: 'reconnects', digits: 0, spread: false, rare: true }],
  ['readyMs', { title: 'ready ms', digits: 0, spread: true }],
  ['rssMb', { title: 'RSS MB', digits: 1, spread: false }],
  ['anonymousMb', { title: 'anon MB', digits: 1, spread: false }],
])

export function formatQuartiles({ lower, median, upper }: Quartiles, digits: number, spread = true): string {
  const middle = median.toFixed(digits)
  return spread ? `${middle} (${lower.toFixed(digits)}-${upper.toFixed(digits)})` : middle
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)))
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  '),
    )
    .map((line) => `  ${line.trimEnd()}`)
    .join('\n')
}

/** The columns that a scenario has anything in, as a head and rows of text. */
export function scenarioTable({ subjects }: ScenarioSummary): {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
} {
  const used = [...columnStyles].filter(([column, { rare = false }]) =>
    subjects.some(({ columns }) => (rare ? columns[column]?.upper : columns[column])),
  )
  return {
    head: used.map(([, { title }]) => title),
    rows: subjects.map(({ name, columns }) => [
      name,
      ...used.map(([column, { digits, spread }]) => {
        const value = columns[column]
        return value === undefined ? '' : formatQuartiles(value, digits, spread)
      }),
    ]),
  }
}

export function scenarioText(scenario: ScenarioSummary): string {
  const { name, title, unit, base, rounds, repeatedRounds, stealPercent, missing } = scenario
  const { head, rows } = scenarioTable(scenario)
  return [
    `\n${name}: ${title}`,
    `  medians (quartiles) of ${rounds} rounds, per ${unit}, base ${base}; ${repeatedRounds} rounds repeated, steal ${stealPercent.toFixed(1)} %`,
    table([['', ...head], ...rows]),
    ...missing.map((reason) => `  missing: ${reason}`),
  ].join('\n')
}

/** `kept` by the median, or by what the caller judges with. */
export function limitRow({ what, atMost, unit, measured, kept }: LimitSummary): readonly string[] {
  const digits = unit === '' ? 2 : 0
  const value = measured === null ? 'not measured' : `${formatQuartiles(measured, digits)} ${unit}`.trimEnd()
  return [what, value, `${atMost} ${unit}`.trimEnd(), kept === null ? '' : kept ? 'kept' : 'NOT KEPT']
}

export function limitsText(limits: readonly LimitSummary[], how: string): string {
  return `\nlimits, ${how}\n${table([['', 'measured', 'at most', ''], ...limits.map(limitRow)])}`
}

export function machineText({ cores, cpuModel, kernel, memoryMb, load }: Machine): string {
  return `${cores} x ${cpuModel}, ${memoryMb} MB, Linux ${kernel}, load ${load.toFixed(1)} before the run`
}

export function factsText({ machine, versions, startedAt, seconds }: RunSummary): string {
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return `\n${startedAt}, ${Math.round(seconds)} s, on ${machineText(machine)}\n${named.join(', ')}`
}

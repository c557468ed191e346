/** A scenario's outcomes for the terminal. Pure. */
import type { Claim } from './claims.ts'
import type { Outcome } from './outcome.ts'

function cellsOf({ goodPercent, afterEjectionPercent, percentilesMs, ...rest }: Outcome): string[] {
  const { p50, p95, p99, p999 } = percentilesMs
  return [
    goodPercent.toFixed(2),
    afterEjectionPercent === undefined ? '' : afterEjectionPercent.toFixed(3),
    ...[p50, p95, p99, p999].map((ms) => ms.toFixed(0)),
    String(rest.ejections),
    String(rest.retries),
    String(rest.overBudget),
    rest.amplification.toFixed(3),
  ]
}

export const columns = [
  '',
  '% good in 1 s',
  '% after ejection',
  'p50 ms',
  'p95 ms',
  'p99 ms',
  'p99.9 ms',
  'ejections',
  'retries',
  'over budget',
  'requests at endpoints',
] as const

export function tableRows(outcomes: ReadonlyMap<string, Outcome>): readonly (readonly string[])[] {
  return [...outcomes].map(([name, outcome]) => [name, ...cellsOf(outcome)])
}

export function outcomeText(
  title: string,
  outcomes: ReadonlyMap<string, Outcome>,
  claims: readonly Claim[],
): string {
  const rows = [columns, ...tableRows(outcomes)]
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  )
  const verdicts = claims.map(({ text, holds }) => `  ${holds ? 'ok  ' : 'LOST'} ${text}`)
  return [title, ...lines.map((line) => `  ${line}`), ...verdicts].join('\n')
}

/** The report as one HTML page that needs nothing else. Pure. */
import { escapeHtml, latencyChart } from '../report/chart.ts'
import { style } from '../report/page-style.ts'
import type { Claim } from './claims.ts'
import type { Outcome } from './outcome.ts'
import { columns, tableRows } from './report-text.ts'
import { timelineChart } from './timeline-chart.ts'

export type ScenarioReport = {
  readonly title: string
  readonly outcomes: ReadonlyMap<string, Outcome>
  readonly claims: readonly Claim[]
}

function cells(tag: 'th' | 'td', values: readonly string[]): string {
  return values.map((value) => `<${tag}>${escapeHtml(value)}</${tag}>`).join('')
}

function legend(names: readonly string[]): string {
  const entries = names.map(
    (name, i) => `<li><span class="swatch c${colourOf(i)}"></span>${escapeHtml(name)}</li>`,
  )
  return `<ul class="legend">${entries.join('')}</ul>`
}

/** The first of a scenario is what we would have people use. */
function colourOf(index: number): number {
  return [4, 1, 0, 2][index % 4] as number
}

function percentilePoints({ percentilesMs }: Outcome) {
  const { p50, p95, p99, p999 } = percentilesMs
  const at = [
    [50, p50],
    [95, p95],
    [99, p99],
    [99.9, p999],
  ] as const
  return at.map(([percentile, ms]) => ({ percentile, us: ms * 1000 }))
}

function section({ title, outcomes, claims }: ScenarioReport): string {
  const names = [...outcomes.keys()]
  const all = [...outcomes.values()]
  const head = cells('th', columns)
  const body = tableRows(outcomes).map((row) => `<tr>${cells('td', row)}</tr>`)
  const good = timelineChart(
    'Good replies of each second, in percent',
    all.map(({ goodBySecond }, i) => ({ values: goodBySecond, colour: colourOf(i), ours: i === 0 })),
  )
  const latency = latencyChart(
    'Latency by percentile',
    all.map((outcome, i) => ({ points: percentilePoints(outcome), colour: colourOf(i), ours: i === 0 })),
  )
  return [
    `<h2>${escapeHtml(title)}</h2>`,
    `<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`,
    ...claims.map(
      ({ text, holds }) =>
        `<p class="${holds ? '' : 'bad'}">${holds ? '&#10003;' : '&#10007;'} ${escapeHtml(text)}</p>`,
    ),
    legend(names),
    `<figure><figcaption>Good replies (2xx within 1 s) of each second, in percent</figcaption>${good}</figure>`,
    `<figure><figcaption>Latency by percentile</figcaption>${latency}</figure>`,
  ].join('\n')
}

export function balancingPage(facts: string, reports: readonly ScenarioReport[]): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Balancing</title><style>${style}</style></head><body><h1>Balancing</h1><p>${escapeHtml(facts)}</p>${reports.map(section).join('\n')}</body></html>\n`
}

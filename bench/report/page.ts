/** The report as one HTML page that needs nothing else: tables and plots, light and dark. Pure. */
import { barChart, escapeHtml, latencyChart } from './chart.ts'
import { style } from './page-style.ts'
import type { Column, RunSummary, ScenarioSummary, SubjectSummary } from './summary.ts'
import { columnStyles, formatQuartiles, limitRow, machineText, scenarioTable } from './text.ts'

function cells(tag: 'th' | 'td', values: readonly string[]): string {
  return values.map((value) => `<${tag}>${escapeHtml(value)}</${tag}>`).join('')
}

function tableHtml(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const body = rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('\n')
  return `<div class="wide"><table><thead><tr>${cells('th', head)}</tr></thead><tbody>${body}</tbody></table></div>`
}

function isOurs(name: string): boolean {
  return name.startsWith('weft')
}

function note(column: Column, { columns }: SubjectSummary): string {
  const value = columns[column]
  if (value === undefined) return ''
  const digits = columnStyles.get(column)?.digits ?? 0
  const ratio = column === 'cpuUs' ? columns.cpuRatio : undefined
  const own = formatQuartiles(value, digits, false)
  return ratio === undefined ? own : `${own} (${ratio.median.toFixed(2)} x)`
}

const plotted: readonly Column[] = ['cpuUs', 'readyMs', 'rssMb', 'anonymousMb']

/** Memory is worth a plot only where it is the question. */
function isPlotted(column: Column, scenario: ScenarioSummary): boolean {
  const isMemory = column === 'rssMb' || column === 'anonymousMb'
  return (
    (!isMemory || scenario.name === 'memory') &&
    scenario.subjects.some(({ columns }) => columns[column] !== undefined)
  )
}

function bars(column: Column, { name, subjects }: ScenarioSummary): string {
  const title = `${columnStyles.get(column)?.title ?? column}, ${name}`
  const chart = barChart(
    title,
    subjects.flatMap((subject) => {
      const value = subject.columns[column]
      if (value === undefined) return []
      return [{ label: subject.name, value, note: note(column, subject), ours: isOurs(subject.name) }]
    }),
  )
  return `<figure><figcaption>${escapeHtml(title)}</figcaption>${chart}</figure>`
}

/** Everybody has the same colour in every plot; a variant of somebody takes one that is free. */
const colourOrder = [
  'direct',
  'haproxy',
  'nginx',
  'envoy',
  'weft',
  'weft-file',
  'undici',
  'node-http',
  'http-proxy',
]

export function coloursOf(names: readonly string[]): number[] {
  const used = new Set<number>()
  return names.map((name) => {
    const own = colourOrder.indexOf(name.split(',')[0] as string)
    const free = colourOrder.findIndex((_, i) => !used.has(i))
    const colour = own === -1 || used.has(own) ? free : own
    used.add(colour)
    return colour
  })
}

function curves({ name, subjects }: ScenarioSummary): string {
  const shown = subjects.filter(({ curve }) => curve.length > 0)
  if (shown.length === 0) return ''
  const colours = coloursOf(shown.map(({ name: subject }) => subject))
  const lines = shown.map(({ name: subject, curve }, i) => ({
    points: curve,
    colour: colours[i] as number,
    ours: isOurs(subject),
  }))
  const legend = shown
    .map(({ name: subject }, i) => `<li><i class="swatch c${colours[i]}"></i>${escapeHtml(subject)}</li>`)
    .join('')
  const title = `latency by percentile, from when a request was due, ${name}`
  return `<figure><figcaption>${escapeHtml(title)}</figcaption>${latencyChart(title, lines)}<ul class="legend">${legend}</ul></figure>`
}

function section(scenario: ScenarioSummary): string {
  const { name, title, unit, base, rounds, repeatedRounds, stealPercent, missing } = scenario
  const { head, rows } = scenarioTable(scenario)
  const facts = `Medians (quartiles) of ${rounds} rounds, per ${unit}, base ${base}; ${repeatedRounds} rounds repeated, steal ${stealPercent.toFixed(1)} %.`
  return `<section id="${escapeHtml(name)}">
<h2>${escapeHtml(title)}</h2>
<p>${escapeHtml(facts)}</p>
${missing.map((reason) => `<p class="bad">Missing: ${escapeHtml(reason)}</p>`).join('')}
${plotted
  .filter((column) => isPlotted(column, scenario))
  .map((column) => bars(column, scenario))
  .join('\n')}
${curves(scenario)}
${tableHtml(['', ...head], rows)}
</section>`
}

function limitsHtml({ limits }: RunSummary): string {
  if (limits.length === 0) return ''
  const body = limits
    .map((limit) => {
      const verdict = limit.kept === null ? '' : limit.kept ? ' class="good"' : ' class="bad"'
      return `<tr${verdict}>${cells('td', limitRow(limit))}</tr>`
    })
    .join('\n')
  const head = cells('th', ['', 'measured', 'at most', ''])
  return `<h2>Limits, by the median</h2>
<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`
}

export function pageHtml(run: RunSummary): string {
  const { machine, versions, scenarios, failed } = run
  const versionText = Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')
  const contents = scenarios
    .map(({ name, title }) => `<li><a href="#${escapeHtml(name)}">${escapeHtml(title)}</a></li>`)
    .join('')
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>weft bench</title>
<style>${style}</style></head>
<body>
<h1>weft bench</h1>
<p>${escapeHtml(`${run.startedAt}, ${Math.round(run.seconds)} s, on ${machineText(machine)}.`)}<br>${escapeHtml(versionText)}</p>
<p>Only what stands in one plot was measured side by side. Ratios of one run mean something; times differ from machine to machine.</p>
${failed.map(({ name, reason }) => `<p class="bad">${escapeHtml(`${name} failed: ${reason}`)}</p>`).join('')}
${limitsHtml(run)}
<ol class="contents">${contents}</ol>
${scenarios.map(section).join('\n')}
</body>
</html>
`
}

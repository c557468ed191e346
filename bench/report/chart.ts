/** Plots as inline SVG that takes its colours from the page. Pure. */
import type { Quartiles } from '../quartiles.ts'

const width = 720
const labelWidth = 150
const valueWidth = 150
const barHeight = 16
const rowHeight = 26
const axisHeight = 24
const padding = 8

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

/** Three to seven round numbers from 0 to at least `highest`. */
export function ticks(highest: number): number[] {
  if (!(highest > 0)) return [0, 1]
  const rough = highest / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10)
  const count = Math.ceil(highest / step)
  return Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(6)))
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escapeHtml(content)}</text>`
}

function svg(height: number, title: string, parts: readonly string[]): string {
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(title)}">${parts.join('')}</svg>`
}

export type Bar = {
  readonly label: string
  readonly value: Quartiles
  /** Written behind the bar. */
  readonly note: string
  /** Our own. */
  readonly ours: boolean
}

function barParts(
  { label, value, note, ours }: Bar,
  row: number,
  scale: (value: number) => number,
): string[] {
  const top = padding + row * rowHeight
  const middle = top + barHeight / 2
  const from = labelWidth + scale(value.lower)
  const to = labelWidth + scale(value.upper)
  return [
    text(labelWidth - 8, middle + 4, label, `text-anchor="end"${ours ? ' class="ours"' : ''}`),
    `<rect x="${labelWidth}" y="${top}" width="${scale(value.median).toFixed(1)}" height="${barHeight}" rx="2" class="bar${ours ? ' ours' : ''}"/>`,
    `<path d="M${from.toFixed(1)} ${middle}H${to.toFixed(1)}M${from.toFixed(1)} ${middle - 4}v8M${to.toFixed(1)} ${middle - 4}v8" class="whisker"/>`,
    text(Math.max(to, labelWidth + scale(value.median)) + 8, middle + 4, note, 'class="note"'),
  ]
}

/** Horizontal bars of medians from zero, with a whisker from quartile to quartile. */
export function barChart(title: string, bars: readonly Bar[]): string {
  const marks = ticks(Math.max(...bars.map(({ value }) => value.upper)))
  const highest = marks.at(-1) ?? 1
  const plotWidth = width - labelWidth - valueWidth
  const scale = (value: number): number => (value / highest) * plotWidth
  const bottom = padding + bars.length * rowHeight
  const grid = marks.flatMap((mark) => [
    `<path d="M${(labelWidth + scale(mark)).toFixed(1)} ${padding - 4}V${bottom}" class="grid"/>`,
    text(labelWidth + scale(mark), bottom + 16, String(mark), 'text-anchor="middle" class="tick"'),
  ])
  return svg(bottom + axisHeight, title, [...grid, ...bars.flatMap((bar, row) => barParts(bar, row, scale))])
}

export type Line = {
  readonly points: readonly { readonly percentile: number; readonly us: number }[]
  /** One of the page's line colours, from 0. */
  readonly colour: number
  readonly ours: boolean
}

const lineHeight = 300
const lineLeft = 64
const lineRight = 16
const percentileMarks = [0, 50, 90, 99, 99.9, 99.99]

/** Every further nine takes the same room. */
export function ninesOf(percentile: number): number {
  return -Math.log10(1 - percentile / 100)
}

function decadeMarks(lowest: number, highest: number): number[] {
  const marks: number[] = []
  for (let power = Math.floor(Math.log10(lowest)); power <= Math.ceil(Math.log10(highest)); power++) {
    for (const factor of [1, 2, 5]) marks.push(factor * 10 ** power)
  }
  return marks
}

export function formatUs(us: number): string {
  return us >= 1000 ? `${Number((us / 1000).toPrecision(3))} ms` : `${Number(us.toPrecision(3))} us`
}

/** Latency by percentile: both axes logarithmic, so that tails can be told apart. */
export function latencyChart(title: string, lines: readonly Line[]): string {
  const points = lines.flatMap((line) => line.points)
  const values = points.map(({ us }) => Math.max(1, us))
  const all = decadeMarks(Math.min(...values), Math.max(...values))
  const low = all.findLast((mark) => mark <= Math.min(...values)) ?? 1
  const high = all.find((mark) => mark >= Math.max(...values)) ?? 1
  const last = Math.max(...points.map(({ percentile }) => ninesOf(percentile)))
  const plotWidth = width - lineLeft - lineRight
  const bottom = lineHeight - axisHeight
  const x = (percentile: number): number => lineLeft + (ninesOf(percentile) / last) * plotWidth
  const y = (us: number): number =>
    bottom - (Math.log(Math.max(low, us) / low) / Math.log(high / low)) * (bottom - padding)
  const rows = all.filter((mark) => mark >= low && mark <= high)
  const columns = percentileMarks.filter((mark) => ninesOf(mark) <= last)
  return svg(lineHeight, title, [
    ...rows.flatMap((mark) => [
      `<path d="M${lineLeft} ${y(mark).toFixed(1)}H${width - lineRight}" class="grid"/>`,
      text(lineLeft - 8, y(mark) + 4, formatUs(mark), 'text-anchor="end" class="tick"'),
    ]),
    ...columns.flatMap((mark) => [
      `<path d="M${x(mark).toFixed(1)} ${padding}V${bottom}" class="grid"/>`,
      text(x(mark), bottom + 16, mark === 0 ? 'min' : `p${mark}`, 'text-anchor="middle" class="tick"'),
    ]),
    ...lines.map(({ points: own, colour, ours }) => {
      const path = own
        .map(({ percentile, us }) => `${x(percentile).toFixed(1)} ${y(us).toFixed(1)}`)
        .join('L')
      return `<path d="M${path}" class="line c${colour}${ours ? ' ours' : ''}"/>`
    }),
  ])
}

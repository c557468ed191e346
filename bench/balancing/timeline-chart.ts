/** Lines over the seconds of a run, as inline SVG that takes its colours from the page. Pure. */
import { escapeHtml } from '../report/chart.ts'

export type TimelineLine = {
  /** One a second, in percent. */
  readonly values: readonly number[]
  /** One of the page's line colours, from 0. */
  readonly colour: number
  readonly ours: boolean
}

const width = 720
const height = 260
const left = 48
const right = 16
const top = 8
const bottom = height - 24

/** The highest multiple of ten that nobody falls below. */
function floorOf(lines: readonly TimelineLine[]): number {
  const lowest = Math.min(...lines.flatMap(({ values }) => values))
  return Math.min(90, Math.max(0, Math.floor(lowest / 10) * 10))
}

export function timelineChart(title: string, lines: readonly TimelineLine[]): string {
  const seconds = Math.max(2, ...lines.map(({ values }) => values.length))
  const floor = floorOf(lines)
  const x = (second: number): string => (left + (second / (seconds - 1)) * (width - left - right)).toFixed(1)
  const y = (value: number): string => (top + ((100 - value) / (100 - floor)) * (bottom - top)).toFixed(1)
  const rows = Array.from({ length: 6 }, (_, i) => floor + ((100 - floor) * i) / 5)
  const columns = Array.from({ length: 7 }, (_, i) => Math.round(((seconds - 1) * i) / 6))
  const grid = [
    ...rows.map(
      (value) =>
        `<path d="M${left} ${y(value)}H${width - right}" class="grid"/><text x="${left - 8}" y="${Number(y(value)) + 4}" text-anchor="end" class="tick">${value}</text>`,
    ),
    ...columns.map(
      (second) =>
        `<text x="${x(second)}" y="${bottom + 16}" text-anchor="middle" class="tick">${second} s</text>`,
    ),
  ]
  const paths = lines.map(({ values, colour, ours }) => {
    const points = values.map((value, second) => `${x(second)} ${y(Math.max(floor, value))}`)
    return `<path d="M${points.join('L')}" class="line c${colour}${ours ? ' ours' : ''}"/>`
  })
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(title)}">${[...grid, ...paths].join('')}</svg>`
}

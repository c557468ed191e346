/** Figures as people read them: three digits that count, always with their unit. Pure. */

const dash = '–'
const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

function digits(value: number): string {
  if (value >= 100) return String(Math.round(value))
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** `0.42`, `12.5`, `840`, `12.3k`; a rate per second. */
export function formatRate(perSecond: number): string {
  if (perSecond === 0) return '0'
  return perSecond < 1000 ? digits(perSecond) : `${digits(perSecond / 1000)}k`
}

/** A ratio of 1 and nothing less is `100 %`. */
export function formatPercent(ratio: number | null): string {
  if (ratio === null) return dash
  const percent = ratio * 100
  if (percent === 0 || percent === 100) return `${percent} %`
  return `${(percent < 99.95 ? percent : Math.min(percent, 99.99)).toFixed(percent < 99.95 ? 1 : 2)} %`
}

/** `–` where there is none. */
export function formatMs(ms: number | null): string {
  if (ms === null) return dash
  return ms < 1000 ? `${digits(ms)} ms` : `${digits(ms / 1000)} s`
}

/** Two units at most: `3 d 4 h`, `17 h 59 min`, `42 s`. */
export function formatSpan(ms: number): string {
  if (ms < minuteMs) return `${Math.max(0, Math.floor(ms / 1000))} s`
  if (ms < hourMs) return `${Math.floor(ms / minuteMs)} min`
  if (ms < dayMs) return pair(ms, hourMs, 'h', minuteMs, 'min')
  return pair(ms, dayMs, 'd', hourMs, 'h')
}

function pair(ms: number, largeMs: number, large: string, smallMs: number, small: string): string {
  const rest = Math.floor((ms % largeMs) / smallMs)
  return `${Math.floor(ms / largeMs)} ${large}${rest === 0 ? '' : ` ${rest} ${small}`}`
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  if (bytes < 1024 * 1024) return `${digits(bytes / 1024)} KiB`
  return `${digits(bytes / 1024 / 1024)} MiB`
}

/** `14:03:07.123`, of the day here. */
export function formatTime(atMs: number): string {
  const at = new Date(atMs)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`
}

/** What people see: a panel that is painted again and again on a terminal, plain lines elsewhere. */
import { percentile } from './claims.ts'
import type { Golden, Peers } from './golden.ts'
import type { Answer } from './load.ts'

/** What the sidecar of one pod counted in the last second; undefined while it does not answer. */
export type Row = {
  readonly name: string
  readonly golden: Golden | undefined
  readonly peers: Peers | undefined
}

/** Of the terminal, in characters. */
export type Size = { readonly columns: number; readonly rows: number }

const windowSize = 2_000
const barWidth = 40
const paintEveryMs = 250
const mostEvents = 8

export class View {
  /** undefined: there is no terminal. */
  readonly #size: (() => Size) | undefined
  readonly #write: (text: string) => void
  readonly #footer: readonly string[]
  #recent: Answer[] = []
  readonly #events: string[] = []
  #timer: NodeJS.Timeout | undefined
  /** In this scene, however many: a short outage counts to its end. */
  #answered = 0
  #succeeded = 0
  /** Share of v2 in percent, by the file. */
  configured = 0
  rows: readonly Row[] = []

  constructor(options: {
    readonly size: (() => Size) | undefined
    /** What stays at the bottom. */
    readonly footer: readonly string[]
    readonly write: (text: string) => void
  }) {
    this.#size = options.size
    this.#footer = options.footer
    this.#write = options.write
  }

  start(): void {
    const size = this.#size
    if (size === undefined) return
    this.#write('\x1b[?25l\x1b[2J')
    this.#timer = setInterval(() => this.#write(this.paint(size())), paintEveryMs)
  }

  stop(): void {
    if (this.#timer === undefined) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#write('\x1b[?25h\n')
  }

  answer(answer: Answer): void {
    this.#answered++
    if (answer.status === 200) this.#succeeded++
    this.#recent.push(answer)
    if (this.#recent.length > windowSize) this.#recent.splice(0, windowSize / 4)
  }

  /** Something happened in the story. */
  event(text: string): void {
    this.#events.push(text)
    if (this.#events.length > mostEvents) this.#events.shift()
    if (this.#timer === undefined) this.#write(`${text}\n`)
  }

  /** A scene begins: what is shown from here on was observed in it. */
  scene(text: string): void {
    this.#recent = []
    this.#answered = 0
    this.#succeeded = 0
    this.event(text)
  }

  /** Without a terminal, what a scene came to is one line. */
  sceneEnds(): void {
    if (this.#size === undefined) this.#write(`  ${this.#split()}, ${this.#summary()}\n`)
  }

  /** The whole panel, from the terminal's upper left corner on; never larger than the terminal, which would scroll. */
  paint({ columns, rows }: Size): string {
    const above = [
      'weft demo   client -> web -> catalog (v1, v2) -> inventory   Ctrl-C ends it',
      '',
      `split to v2   configured ${bar(this.configured)}`,
      `              observed   ${bar(this.#observed())}`,
      `client sees   ${this.#summary()}`,
      '',
      'sidecar of      req/s   success       p50       p99  called by (proven by mTLS)',
      ...this.rows.map(row),
      '',
    ]
    const below = ['', ...this.#footer]
    const room = rows - above.length - below.length
    const events = this.#events.slice(-Math.max(1, Math.min(room, mostEvents)))
    const marked = events.map((text, i) => `${i === events.length - 1 ? '>' : ' '} ${text}`)
    const lines = [...above, ...marked, ...below].slice(0, rows)
    return `\x1b[H${lines.map((line) => `${clip(` ${line}`, columns)}\x1b[K`).join('\n')}\x1b[J`
  }

  /** Of the requests that reached a version, failed ones too: a version that fails is split to all the same. */
  #observed(): number {
    const reached = (version: string): number =>
      this.#recent.filter((answer) => answer.apps.some(({ app }) => app === version)).length
    const [v1, v2] = [reached('catalog-v1'), reached('catalog-v2')]
    return v1 + v2 === 0 ? 0 : (100 * v2) / (v1 + v2)
  }

  #split(): string {
    return `v2 ${this.#observed().toFixed(1)} % of ${this.configured} %`
  }

  #summary(): string {
    if (this.#recent.length === 0) return 'nothing yet'
    const success = ((100 * this.#succeeded) / this.#answered).toFixed(2)
    const latencies = this.#recent.map((answer) => answer.latencyMs)
    const [p50, p99] = [percentile(latencies, 0.5), percentile(latencies, 0.99)].map((ms) => ms.toFixed(1))
    return `${success} % of ${this.#answered} requests succeed, p50 ${p50} ms, p99 ${p99} ms`
  }
}

function bar(percent: number): string {
  const full = Math.round((percent / 100) * barWidth)
  return `[${'#'.repeat(full)}${'.'.repeat(barWidth - full)}] ${percent.toFixed(1).padStart(5)} %`
}

function clip(line: string, columns: number): string {
  return line.length <= columns ? line : `${line.slice(0, columns - 1)}~`
}

function row({ name, golden, peers }: Row): string {
  if (golden === undefined || peers === undefined) return `${name.padEnd(14)}  does not answer`
  const figure = (value: number | undefined, digits: number, unit: string): string =>
    (value === undefined ? '-' : `${value.toFixed(digits)} ${unit}`).padStart(10)
  const callers = peers.clients.map((id) => id.slice(id.lastIndexOf('/') + 1))
  if (peers.inClear > 0) callers.push(`IN CLEAR: ${peers.inClear} requests`)
  return [
    name.padEnd(14),
    String(golden.requests).padStart(7),
    figure(golden.success, 2, '%'),
    figure(golden.p50Ms, 1, 'ms'),
    figure(golden.p99Ms, 1, 'ms'),
    `  ${callers.join(', ') || '(nobody yet)'}`,
  ].join('')
}

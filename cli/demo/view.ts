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

const windowSize = 2_000
const barWidth = 40
const paintEveryMs = 250
const shownEvents = 8

export class View {
  readonly #terminal: boolean
  readonly #write: (text: string) => void
  readonly #logFolder: string
  #recent: Answer[] = []
  readonly #events: string[] = []
  #timer: NodeJS.Timeout | undefined
  #answered = 0
  /** Share of v2 in percent, by the file. */
  configured = 0
  rows: readonly Row[] = []

  constructor(options: {
    readonly terminal: boolean
    readonly logFolder: string
    readonly write: (text: string) => void
  }) {
    this.#terminal = options.terminal
    this.#logFolder = options.logFolder
    this.#write = options.write
  }

  start(): void {
    if (!this.#terminal) return
    this.#write('\x1b[?25l\x1b[2J')
    this.#timer = setInterval(() => this.#write(this.paint()), paintEveryMs)
  }

  stop(): void {
    if (this.#timer === undefined) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#write('\x1b[?25h\n')
  }

  answer(answer: Answer): void {
    this.#answered++
    this.#recent.push(answer)
    if (this.#recent.length > windowSize) this.#recent.splice(0, windowSize / 4)
  }

  /** Something happened in the story. */
  event(text: string): void {
    this.#events.push(text)
    if (this.#events.length > shownEvents) this.#events.shift()
    if (this.#timer === undefined) this.#write(`${text}\n`)
  }

  /** A scene begins: what is shown from here on was observed in it. */
  scene(text: string): void {
    this.#recent = []
    this.event(text)
  }

  /** Without a terminal, what a scene came to is one line. */
  sceneEnds(): void {
    if (!this.#terminal) this.#write(`  ${this.#summary()}\n`)
  }

  /** The whole panel, from the terminal's upper left corner on. */
  paint(): string {
    const lines = [
      'weft demo     client -> web -> catalog (v1, v2) -> inventory        Ctrl-C ends it',
      '',
      `split to v2   configured ${bar(this.configured)} ${this.configured.toFixed(1).padStart(5)} %`,
      `              observed   ${bar(this.#observed())} ${this.#observed().toFixed(1).padStart(5)} %`,
      `client sees   ${this.#summary()}`,
      '',
      'sidecar of      req/s   success       p50       p99   called by, proven by mTLS',
      ...this.rows.map(row),
      '',
      ...this.#events,
      '',
      `logs: ${this.#logFolder}`,
    ]
    return `\x1b[H${lines.map((line) => `  ${line}\x1b[K`).join('\n')}\x1b[J`
  }

  #observed(): number {
    const ok = this.#recent.filter((answer) => answer.status === 200)
    const v2 = ok.filter((answer) => answer.apps.some(({ app }) => app === 'catalog-v2'))
    return ok.length === 0 ? 0 : (100 * v2.length) / ok.length
  }

  #summary(): string {
    const ok = this.#recent.filter((answer) => answer.status === 200).length
    const success = this.#recent.length === 0 ? 100 : (100 * ok) / this.#recent.length
    const latencies = this.#recent.map((answer) => answer.latencyMs)
    const [p50, p99] = [percentile(latencies, 0.5), percentile(latencies, 0.99)].map((ms) => ms.toFixed(1))
    const split = this.#terminal ? '' : `v2 ${this.#observed().toFixed(1)} % of ${this.configured} %, `
    return `${split}success ${success.toFixed(2)} %, p50 ${p50} ms, p99 ${p99} ms, ${this.#answered} requests so far`
  }
}

function bar(percent: number): string {
  const full = Math.round((percent / 100) * barWidth)
  return `[${'#'.repeat(full)}${'.'.repeat(barWidth - full)}]`
}

function row({ name, golden, peers }: Row): string {
  if (golden === undefined || peers === undefined) return `${name.padEnd(14)}  does not answer`
  const figure = (value: number | undefined, digits: number, unit: string): string =>
    (value === undefined ? '-' : `${value.toFixed(digits)} ${unit}`).padStart(10)
  const callers = peers.clients.map((id) => id.replace(/^spiffe:\/\/[^/]+\//, ''))
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

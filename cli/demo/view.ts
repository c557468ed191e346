/** What people see: a panel that is painted again on a terminal, plain lines elsewhere. */
import { percentile } from './claims.ts'
import type { Answer } from './load.ts'

export type Panel = {
  readonly configured: number
  readonly hops: readonly { readonly to: string; readonly clients: readonly string[] }[]
}

const windowSize = 2000
const barWidth = 40

export class View {
  readonly #tty: boolean
  readonly #recent: Answer[] = []
  readonly #events: string[] = []
  #timer: NodeJS.Timeout | undefined
  #answered = 0
  panel: Panel = { configured: 0, hops: [] }

  constructor(tty: boolean) {
    this.#tty = tty
  }

  start(): void {
    if (!this.#tty) return
    process.stdout.write('\x1b[?25l\x1b[2J')
    this.#timer = setInterval(() => this.#paint(), 250)
  }

  stop(): void {
    clearInterval(this.#timer)
    if (this.#tty) process.stdout.write('\x1b[?25h\n')
  }

  answer(answer: Answer): void {
    this.#answered++
    this.#recent.push(answer)
    if (this.#recent.length > windowSize) this.#recent.splice(0, windowSize / 4)
  }

  /** Something happened in the story. */
  event(text: string): void {
    this.#events.push(text)
    if (!this.#tty) process.stdout.write(`${text}\n`)
  }

  #paint(): void {
    const { configured, hops } = this.panel
    const ok = this.#recent.filter((answer) => answer.status === 200)
    const v2 = ok.filter((answer) => answer.apps.some(({ app }) => app.startsWith('catalog-v2'))).length
    const observed = ok.length === 0 ? 0 : (100 * v2) / ok.length
    const success = this.#recent.length === 0 ? 100 : (100 * ok.length) / this.#recent.length
    const latencies = this.#recent.map((answer) => answer.latencyMs)
    const lines = [
      '  weft demo     client -> web -> catalog (v1, v2) -> inventory        Ctrl-C ends it',
      '',
      `  split to v2   configured ${bar(configured)} ${configured.toFixed(0).padStart(3)} %`,
      `                observed   ${bar(observed)} ${observed.toFixed(1).padStart(5)} %`,
      `  success       ${success.toFixed(2)} %   p50 ${percentile(latencies, 0.5).toFixed(1)} ms   p99 ${percentile(latencies, 0.99).toFixed(1)} ms   ${this.#answered} requests`,
      '',
      '  mutual TLS    who may prove to be whom',
      ...hops.map(
        (hop) => `    ${hop.to.padEnd(14)} <- ${hop.clients.map(shortId).join(', ') || '(nobody yet)'}`,
      ),
      '',
      ...this.#events.slice(-8).map((event) => `  ${event}`),
    ]
    process.stdout.write(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join('\n')}\x1b[J`)
  }
}

function bar(percent: number): string {
  const full = Math.round((percent / 100) * barWidth)
  return `[${'#'.repeat(full)}${'.'.repeat(barWidth - full)}]`
}

function shortId(id: string): string {
  return id.replace(/^spiffe:\/\/[^/]+\//, '')
}

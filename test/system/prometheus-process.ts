/** Debian's Prometheus over processes whose addresses are known, with the rules of deploy/observe. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'undici'
import { stringify } from 'yaml'
import { freePorts } from '../../cli/demo/ports.ts'
import { staticConfig } from '../../deploy/observe/scrape.ts'

const rulesFile = path.join(import.meta.dirname, '../../deploy/observe/rules.yaml')

export type Series = {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [number, string]
}

export class PrometheusProcess {
  readonly #child: ChildProcess
  readonly #folder: string
  readonly #port: number

  private constructor(child: ChildProcess, folder: string, port: number) {
    this.#child = child
    this.#folder = folder
    this.#port = port
  }

  /** Checks the configuration with promtool, starts, and resolves when queries are answered. */
  static async start(targets: Parameters<typeof staticConfig>[0]): Promise<PrometheusProcess> {
    const folder = mkdtempSync(path.join(tmpdir(), 'weft-prometheus-'))
    const config = path.join(folder, 'prometheus.yaml')
    writeFileSync(config, stringify(staticConfig(targets, rulesFile, '1s')))
    execFileSync('promtool', ['check', 'config', config], { stdio: 'pipe' })
    const [port = 0] = await freePorts(1)
    const child = spawn(
      'prometheus',
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${path.join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=warn',
      ],
      { stdio: 'ignore' },
    )
    const prometheus = new PrometheusProcess(child, folder, port)
    for (let tries = 0; tries < 300; tries++) {
      const ready = await request(`http://127.0.0.1:${port}/-/ready`).catch(() => undefined)
      await ready?.body.dump()
      if (ready?.statusCode === 200) return prometheus
      await sleep(100)
    }
    prometheus.stop()
    throw new Error('Prometheus does not become ready')
  }

  /** Rejects with what Prometheus says of an expression that it does not take. */
  async query(expression: string): Promise<readonly Series[]> {
    const { body } = await request(`http://127.0.0.1:${this.#port}/api/v1/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ query: expression }).toString(),
    })
    const answer = (await body.json()) as { status: string; error?: string; data: { result: Series[] } }
    if (answer.status !== 'success') throw new Error(`${expression}: ${answer.error ?? ''}`)
    return answer.data.result
  }

  /** What a variable of a dashboard offers: the values that a label has on the series of a selector. */
  async labelValues(label: string, selector: string): Promise<readonly string[]> {
    const query = new URLSearchParams({ 'match[]': selector })
    const { body } = await request(
      `http://127.0.0.1:${this.#port}/api/v1/label/${label}/values?${query.toString()}`,
    )
    const answer = (await body.json()) as { status: string; error?: string; data: string[] }
    if (answer.status !== 'success') throw new Error(`${selector}: ${answer.error ?? ''}`)
    return answer.data
  }

  /** The value of an expression that gives one series. */
  async value(expression: string): Promise<number> {
    const [series] = await this.query(expression)
    return Number(series?.value[1])
  }

  stop(): void {
    this.#child.once('exit', () => rmSync(this.#folder, { recursive: true, force: true }))
    this.#child.kill()
  }
}

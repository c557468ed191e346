/** The open loop over HTTP/2: a request waits for no other, it is a stream of the next connection. */
import type { Worker } from 'node:worker_threads'
import { fieldsOf, Http2Client } from './http2-client.ts'
import { graceMs, keepSchedule } from './keep-schedule.ts'
import type { OpenLoopCount, OpenLoopLoad } from './open-loop.ts'
import { bodyOf } from './request.ts'
import { sharedNowMs } from './shared-clock.ts'
import { Tally } from './tally.ts'

export class Http2OpenLoop {
  readonly tally = new Tally()
  readonly #load: OpenLoopLoad
  readonly #fields: Readonly<Record<string, string>>
  readonly #body: Buffer | undefined
  #client: Http2Client | undefined

  constructor(load: OpenLoopLoad) {
    this.#load = load
    this.#fields = fieldsOf(load.request)
    this.#body = bodyOf(load.request)
  }

  /** Opens the connections and sends one request over each. Rejects when one is not answered. */
  async prepare(): Promise<void> {
    const { port, connections } = this.#load
    this.#client = await Http2Client.open(port, connections)
    for (let i = 0; i < connections; i++) {
      this.#send(sharedNowMs())
      await this.tally.until(i + 1, graceMs)
    }
    const missing = connections - this.tally.completed
    if (missing > 0) throw new Error(`the first requests on ${missing} connections were not answered`)
    this.tally.reset()
  }

  /** Sends all that the load asks for. `pacer` is a pacer-thread. */
  async run(pacer: Worker): Promise<OpenLoopCount> {
    const { tally } = this
    const count = await keepSchedule(pacer, this.#load, tally, (dueMs) => this.#send(dueMs))
    this.#client?.close()
    const { completed, reasons } = tally
    return { completed, errors: tally.errorsOf(count), reasons, reconnects: 0 }
  }

  #send(dueMs: number): void {
    this.#client?.send(this.#fields, this.#body, (problem) => {
      if (problem === undefined) this.tally.complete(dueMs, sharedNowMs())
      else this.tally.fail(problem)
    })
  }
}

/**
 * Open-loop load: every request is sent when it is due, and its latency counts from then, so that a proxy that stalls
 * is charged for what it made wait. Raw sockets: the generator must cost less than what it measures.
 */
import type { Worker } from 'node:worker_threads'
import { ClientConnection } from './client-connection.ts'
import { graceMs, keepSchedule } from './keep-schedule.ts'
import { encodeRequest, type RequestShape } from './request.ts'
import { sharedNowMs } from './shared-clock.ts'
import { Tally } from './tally.ts'

export type OpenLoopLoad = {
  readonly port: number
  readonly connections: number
  readonly request: RequestShape
  readonly ratePerSecond: number
  readonly seconds: number
}

export type OpenLoopCount = {
  readonly completed: number
  /** Requests without a 2xx reply. */
  readonly errors: number
  /** What became of those, and of how many. */
  readonly reasons: Readonly<Record<string, number>>
  /** Connections that were closed between two requests, as a server may, and were opened again. */
  readonly reconnects: number
}

/** One run of one load. */
export class OpenLoop {
  readonly tally = new Tally()
  readonly #load: OpenLoopLoad
  readonly #request: Buffer
  readonly #connections = new Set<ClientConnection>()
  #idle: ClientConnection[] = []
  /** When the requests were due that wait for a connection. */
  readonly #due: number[] = []
  #reconnects = 0

  constructor(load: OpenLoopLoad) {
    this.#load = load
    this.#request = encodeRequest(load.request)
  }

  /** Opens the connections and sends one request over each, so that what is new on a connection is not measured. */
  async prepare(): Promise<void> {
    for (let i = 0; i < this.#load.connections; i++) {
      const connection = this.#open()
      await connection.ready
      connection.send(this.#request, sharedNowMs())
      await this.tally.until(i + 1, graceMs)
    }
    const missing = this.#load.connections - this.tally.completed
    if (missing > 0) throw new Error(`the first requests on ${missing} connections were not answered`)
    this.#reconnects = 0
    this.tally.reset()
  }

  /** Sends all that the load asks for. `pacer` is a pacer-thread. */
  async run(pacer: Worker): Promise<OpenLoopCount> {
    const { tally } = this
    const count = await keepSchedule(pacer, this.#load, tally, (dueMs) => {
      this.#due.push(dueMs)
      this.#sendDue()
    })
    for (const connection of this.#connections) connection.destroy()
    const { completed, reasons } = tally
    return { completed, errors: tally.errorsOf(count), reasons, reconnects: this.#reconnects }
  }

  #open(): ClientConnection {
    const connection = new ClientConnection(this.#load.port, {
      onReply: (...reply) => this.#take(...reply),
      onClosed: (closed) => this.#lose(closed),
    })
    this.#connections.add(connection)
    return connection
  }

  /** Opens another one in its place, as a client does. */
  #replace(connection: ClientConnection): void {
    this.#connections.delete(connection)
    connection.destroy()
    this.#reconnects++
    const fresh = this.#open()
    fresh.ready.then(
      () => this.#lend(fresh),
      // What waits for it is counted as not answered.
      () => this.#connections.delete(fresh),
    )
  }

  /** What is due is ours to send, however long it has to wait for a connection. */
  #sendDue(): void {
    while (this.#due.length > 0) {
      // The one that is idle longest: all connections carry their share.
      const connection = this.#idle.shift()
      if (connection === undefined) return
      connection.send(this.#request, this.#due.shift() as number)
    }
  }

  /** It is free: for whatever became due while all were busy, or for what comes. */
  #lend(connection: ClientConnection): void {
    this.#idle.push(connection)
    this.#sendDue()
  }

  #take(connection: ClientConnection, status: number, last: boolean): void {
    const { dueMs } = connection
    if (dueMs === undefined) return
    connection.dueMs = undefined
    const nowMs = sharedNowMs()
    if (last) this.#replace(connection)
    else this.#lend(connection)
    if (status >= 200 && status < 300) this.tally.complete(dueMs, nowMs)
    else this.tally.fail(`status ${status}`)
  }

  #lose(connection: ClientConnection): void {
    this.#idle = this.#idle.filter((idle) => idle !== connection)
    const unanswered = connection.dueMs !== undefined
    connection.dueMs = undefined
    this.#replace(connection)
    if (unanswered) this.tally.fail('connection closed')
  }
}

/**
 * Open-loop load: every request is sent when it is due, and its latency counts from then, so that a proxy that stalls
 * is charged for what it made wait. Raw sockets: the generator must cost less than what it measures.
 */
import { Worker } from 'node:worker_threads'
import { build, type Histogram } from 'hdr-histogram-js'
import { ClientConnection } from './client-connection.ts'
import type { Pace } from './pacer-thread.ts'
import { encodeRequest, type RequestShape } from './request.ts'
import { Schedule } from './schedule.ts'
import { sharedNowMs } from './shared-clock.ts'

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

const leadInMs = 20
/** What is still missing this long after the last request was due counts as an error. */
const graceMs = 2_000
const highestUs = 60_000_000

/** One run of one load. */
export class OpenLoop {
  /** From due to the whole reply, in microseconds. */
  readonly latencyUs: Histogram
  /** From due to when the generator saw to it, in microseconds: how exact it is itself. */
  readonly latenessUs: Histogram
  readonly #load: OpenLoopLoad
  readonly #request: Buffer
  readonly #connections = new Set<ClientConnection>()
  #idle: ClientConnection[] = []
  /** When the requests were due that wait for a connection. */
  readonly #due: number[] = []
  #schedule = new Schedule(0, 1, 0)
  #completed = 0
  #failed = 0
  #reconnects = 0
  readonly #reasons: Record<string, number> = {}
  #onProgress: () => void = () => undefined

  constructor(load: OpenLoopLoad) {
    this.#load = load
    this.#request = encodeRequest(load.request)
    this.latencyUs = build({ highestTrackableValue: highestUs })
    this.latenessUs = build({ highestTrackableValue: highestUs })
  }

  /** Opens the connections and sends one request over each, so that what is new on a connection is not measured. */
  async prepare(): Promise<void> {
    for (let i = 0; i < this.#load.connections; i++) {
      const connection = this.#open()
      await connection.ready
      const answered = this.#until(i + 1, graceMs)
      connection.send(this.#request, sharedNowMs())
      await answered
    }
    const missing = this.#load.connections - this.#completed
    if (missing > 0) throw new Error(`the first requests on ${missing} connections were not answered`)
    this.#completed = 0
    this.#reconnects = 0
    this.latencyUs.reset()
    this.latenessUs.reset()
  }

  /** Sends all that the load asks for. `pacer` is a pacer-thread. */
  async run(pacer: Worker): Promise<OpenLoopCount> {
    const { ratePerSecond, seconds } = this.#load
    const count = Math.round(ratePerSecond * seconds)
    const startMs = sharedNowMs() + leadInMs
    this.#schedule = new Schedule(startMs, ratePerSecond, count)
    const tick = (): void => this.#sendDue(sharedNowMs())
    pacer.on('message', tick)
    const pace: Pace = { startMs, intervalMs: 1000 / ratePerSecond, count }
    pacer.postMessage(pace)
    await this.#until(count, count / (ratePerSecond / 1000) + leadInMs + graceMs)
    pacer.off('message', tick)
    for (const connection of this.#connections) connection.destroy()
    const errors = count - this.#completed
    const unanswered = errors - this.#failed
    if (unanswered > 0) this.#reasons['no answer'] = unanswered
    return { completed: this.#completed, errors, reasons: this.#reasons, reconnects: this.#reconnects }
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
      () => this.#lend(fresh, sharedNowMs()),
      // What waits for it is counted as not answered.
      () => this.#connections.delete(fresh),
    )
  }

  /** Resolves when `count` requests have come to an end, one way or the other, or when time is up. */
  #until(count: number, timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#onProgress = () => {
        if (this.#completed + this.#failed < count) return
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** What is due now is ours to send, however long it has to wait for a connection. */
  #sendDue(nowMs: number): void {
    for (let dueMs = this.#schedule.take(nowMs); dueMs !== undefined; dueMs = this.#schedule.take(nowMs)) {
      this.latenessUs.recordValue(Math.round((nowMs - dueMs) * 1000))
      this.#due.push(dueMs)
    }
    while (this.#due.length > 0) {
      // The one that is idle longest: all connections carry their share.
      const connection = this.#idle.shift()
      if (connection === undefined) return
      connection.send(this.#request, this.#due.shift() as number)
    }
  }

  /** It is free: for whatever became due while all were busy, or for what comes. */
  #lend(connection: ClientConnection, nowMs: number): void {
    this.#idle.push(connection)
    this.#sendDue(nowMs)
  }

  #take(connection: ClientConnection, status: number, last: boolean): void {
    const { dueMs } = connection
    if (dueMs === undefined) return
    connection.dueMs = undefined
    const nowMs = sharedNowMs()
    if (status >= 200 && status < 300) {
      this.#completed++
      this.latencyUs.recordValue(Math.round((nowMs - dueMs) * 1000))
    } else this.#fail(`status ${status}`)
    if (last) this.#replace(connection)
    else this.#lend(connection, nowMs)
    this.#onProgress()
  }

  #lose(connection: ClientConnection): void {
    this.#idle = this.#idle.filter((idle) => idle !== connection)
    if (connection.dueMs !== undefined) this.#fail('connection closed')
    connection.dueMs = undefined
    this.#replace(connection)
    this.#onProgress()
  }

  #fail(reason: string): void {
    this.#failed++
    this.#reasons[reason] = (this.#reasons[reason] ?? 0) + 1
  }
}

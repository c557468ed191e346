/** The process that a scenario's clients live in: an open loop that opens connections as it needs them. */
import net from 'node:net'
import { Worker } from 'node:worker_threads'
import type { Pace } from '../load/pacer-thread.ts'
import { ReplyReader } from '../load/reply-reader.ts'
import { encodeRequest, plainGet } from '../load/request.ts'
import { Schedule } from '../load/schedule.ts'
import { sharedNowMs } from '../load/shared-clock.ts'

export type ClientLoad = { readonly port: number; readonly ratePerSecond: number; readonly seconds: number }

/** What became of each request, in the order in which they were due. */
export type ClientResult = {
  /** From due to the whole reply; what never came is as late as the run was long. */
  readonly latencyMs: readonly number[]
  /** 0: no reply. */
  readonly status: readonly number[]
}

const leadInMs = 50
/** What is still missing this long after the last request was due is lost. */
const graceMs = 5_000
const request = encodeRequest(plainGet)

class Run {
  readonly #load: ClientLoad
  readonly #idle: net.Socket[] = []
  readonly #all = new Set<net.Socket>()
  readonly #latencyMs: number[] = []
  readonly #status: number[] = []
  readonly #schedule: Schedule
  readonly #startMs = sharedNowMs() + leadInMs
  readonly #count: number
  #sent = 0
  #done = 0
  #onDone: () => void = () => undefined

  constructor(load: ClientLoad) {
    this.#load = load
    this.#count = Math.round(load.ratePerSecond * load.seconds)
    this.#schedule = new Schedule(this.#startMs, load.ratePerSecond, this.#count)
  }

  async run(pacer: Worker): Promise<ClientResult> {
    const { ratePerSecond, seconds } = this.#load
    const tick = (): void => this.#sendDue()
    pacer.on('message', tick)
    const pace: Pace = { startMs: this.#startMs, intervalMs: 1000 / ratePerSecond, count: this.#count }
    pacer.postMessage(pace)
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, leadInMs + seconds * 1000 + graceMs)
      this.#onDone = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    pacer.off('message', tick)
    for (const socket of this.#all) socket.destroy()
    for (let i = 0; i < this.#count; i++) {
      this.#latencyMs[i] ??= seconds * 1000
      this.#status[i] ??= 0
    }
    return { latencyMs: this.#latencyMs, status: this.#status }
  }

  #sendDue(): void {
    // The pacer may wake us a trifle early, and does not come again after the last one.
    const nowMs = sharedNowMs() + 0.1
    for (let dueMs = this.#schedule.take(nowMs); dueMs !== undefined; dueMs = this.#schedule.take(nowMs))
      this.#send(this.#sent++, dueMs)
  }

  #send(index: number, dueMs: number): void {
    const socket = this.#idle.pop() ?? this.#open()
    const reader = new ReplyReader()
    const finish = (status: number): void => {
      socket.off('data', onData)
      socket.off('close', onClose)
      this.#latencyMs[index] = sharedNowMs() - dueMs
      this.#status[index] = status
      if (!socket.destroyed) this.#idle.push(socket)
      if (++this.#done === this.#count) this.#onDone()
    }
    const onData = (piece: Buffer): void => {
      const status = reader.read(piece)
      if (status !== 0) finish(status)
    }
    const onClose = (): void => finish(0)
    socket.on('data', onData)
    socket.on('close', onClose)
    socket.write(request)
  }

  #open(): net.Socket {
    const socket = net.connect({ host: '127.0.0.1', port: this.#load.port, noDelay: true })
    this.#all.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#all.delete(socket)
      const at = this.#idle.indexOf(socket)
      if (at !== -1) this.#idle.splice(at, 1)
    })
    return socket
  }
}

const pacer = new Worker(new URL('../load/pacer-thread.ts', import.meta.url))

process.on('message', (load: ClientLoad) => {
  void new Run(load).run(pacer).then((result) => process.send?.(result))
})
process.on('disconnect', () => process.exit(0))

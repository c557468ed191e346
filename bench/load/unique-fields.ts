/**
 * Closed-loop load over HTTP/2 whose requests differ: each has a trace context and a request id of its own, as requests
 * in a mesh do, so that no header block is like the one before.
 */
import { randomBytes } from 'node:crypto'
import { fieldsOf, Http2Client } from './http2-client.ts'
import type { H2loadLoad } from './h2load.ts'
import { bodyOf } from './request.ts'

export type UniqueFieldsCount = {
  readonly completed: number
  readonly errors: number
  readonly reasons: Readonly<Record<string, number>>
}

/** What browsers and clients of services send with every request; with the four pseudo and two own fields, twelve. */
export const usualFields = [
  ['user-agent', 'bench/1.0 (linux; x64) node'],
  ['accept', 'application/json'],
  ['accept-language', 'en-GB,en;q=0.9'],
  ['content-type', 'application/json'],
  ['cookie', 'session=0f8fad5bd9cb469fa16570867728950e'],
  ['x-tenant', 'shop-eu-west'],
] as const

export class UniqueFields {
  readonly #load: H2loadLoad
  readonly #reasons: Record<string, number> = {}
  #client: Http2Client | undefined
  #completed = 0
  #errors = 0
  #underWay = 0
  #stopped = false

  constructor(load: H2loadLoad) {
    this.#load = load
  }

  /** Rejects when a connection cannot be opened. */
  async prepare(): Promise<void> {
    this.#client = await Http2Client.open(this.#load.port, this.#load.connections)
  }

  /** Keeps every stream busy until time is up, and ends with the last reply. */
  async run(): Promise<UniqueFieldsCount> {
    const { connections, streams, seconds, request } = this.#load
    const fields = fieldsOf({ ...request, headers: [...usualFields, ...request.headers] })
    const body = bodyOf(request)
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    const send = (): void => {
      this.#underWay++
      this.#client?.send({ ...fields, ...ownFields() }, body, (problem) => {
        this.#underWay--
        this.#count(problem)
        if (!this.#stopped) send()
        else if (this.#underWay === 0) end()
      })
    }
    setTimeout(() => {
      this.#stopped = true
    }, seconds * 1000)
    for (let i = 0; i < connections * streams; i++) send()
    await ended
    this.#client?.close()
    return { completed: this.#completed, errors: this.#errors, reasons: this.#reasons }
  }

  #count(problem: string | undefined): void {
    if (problem === undefined) {
      this.#completed++
      return
    }
    this.#errors++
    this.#reasons[problem] = (this.#reasons[problem] ?? 0) + 1
    // Nothing that fails at once may go round for ever.
    if (this.#errors > 1000) this.#stopped = true
  }
}

/** Sampled by nobody: spans are no part of the figure. */
function ownFields(): { readonly traceparent: string; readonly 'x-request-id': string } {
  const id = randomBytes(24).toString('hex')
  return {
    traceparent: `00-${id.slice(0, 32)}-${id.slice(32)}-00`,
    'x-request-id': id.slice(8, 40),
  }
}

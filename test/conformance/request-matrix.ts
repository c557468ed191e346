/** Runs rows of the request matrix through one sidecar before one application, and looks at both sides of it. */
import { expect } from 'vitest'
import { type Application, startApplication } from '../support/application.ts'
import { type PlainDataPath, startPlainDataPath } from '../support/plain-data-path.ts'
import { RawClient, settleSockets, settleUntil, writePieces } from '../support/raw-tcp.ts'
import { okReply, type RequestRow } from './request-row.ts'

const next = 'GET /next HTTP/1.1\r\nHost: app.test\r\n\r\n'
/** What it answers by itself to a request that it cannot take. */
const refusal =
  /^HTTP\/1\.1 (\d{3}) [A-Za-z ]+\r\nContent-Type: text\/plain\r\nContent-Length: (\d+)\r\nweft-error: DPE\r\nConnection: close\r\n\r\n(REQUEST_[A-Z_]+: [^\r\n]+\n)$/

const mostReceived = 16 * 1024

type Chunked = {
  readonly head: string
  /** Without chunk sizes. */
  readonly content: string
  /** Where the last chunk begins, or -1 when it is not there. */
  readonly end: number
}

function unchunk(text: string): Chunked {
  const start = text.indexOf('\r\n\r\n') + 4
  if (start === 3) return { head: text, content: '', end: -1 }
  const head = text.slice(0, start)
  let content = ''
  let at = start
  for (;;) {
    const size = /^([0-9a-f]+)\r\n/.exec(text.slice(at, at + 12))
    if (size === null) return { head, content, end: -1 }
    const bytes = Number.parseInt(size[1] as string, 16)
    if (bytes === 0) return { head, content, end: at }
    at += size[0].length
    content += text.slice(at, at + bytes)
    at += bytes + 2
  }
}

/** Whether a refused request left no more upstream than the beginning of `allowed`, and nothing that looks whole. */
function isBeginning(text: string, allowed: string): boolean {
  const seen = unchunk(text)
  const whole = unchunk(allowed)
  return seen.end === -1 && whole.head.startsWith(seen.head) && whole.content.startsWith(seen.content)
}

/** Joins the chunks of a message that begins `text`. */
function joined(text: string): string {
  const { head, content, end } = unchunk(text)
  if (!/^transfer-encoding: chunked\r$/im.test(head) || end === -1) return text
  const chunk = content === '' ? '' : `${content.length.toString(16)}\r\n${content}\r\n`
  return head + chunk + text.slice(end)
}

/** How long is waited for what reaches the application: where that is nothing, and where a busy machine may be late with it. */
const turnsOfNothing = 5
const turnsOfAll = 50

export class RequestMatrix {
  readonly #application: Application
  readonly #sidecar: PlainDataPath
  #row: RequestRow | undefined
  #replies: string[] = []
  /** The application's connection that is idle in the pool. */
  #idle = -1
  /** Asks the next request after each check. */
  #after: RawClient | undefined

  private constructor(application: Application, sidecar: PlainDataPath) {
    this.#application = application
    this.#sidecar = sidecar
  }

  static async start(): Promise<RequestMatrix> {
    let answer: (head: string, write: (text: string) => void) => void = () => undefined
    const application = await startApplication(({ head, socket }) =>
      answer(head, (text) => void socket.write(text)),
    )
    const matrix = new RequestMatrix(application, await startPlainDataPath([application.port]))
    answer = (head, write) => matrix.#answer(head, write)
    return matrix
  }

  async stop(): Promise<void> {
    this.#after?.destroy()
    this.#sidecar.stop()
    await this.#application.stop()
  }

  /** Sends `pieces` one by one and checks: client, application, both connections. */
  async check(row: RequestRow, pieces: readonly string[]): Promise<void> {
    if (this.#idle === -1) await this.#renew()
    this.#row = row
    this.#replies = []
    const used = this.#idle
    const before = this.#application.received[used]?.length as number
    const opened = this.#application.connections()
    const client = new RawClient(this.#sidecar.port)
    try {
      const written = writePieces(client.socket, pieces)
      const text = await client.take((sofar) => !row.closed && this.#isExpected(sofar))
      if (!this.#isExpected(text)) expect.fail(`${row.name}: ${JSON.stringify(text.slice(0, 1000))}`)
      await written
      const reached = await this.#reached(used, before)
      // Looked at in one go: thousands of checks spend more time in expectations than in the sidecar.
      expect({
        clientClosed: client.closed,
        pending: client.pending,
        connections: this.#application.connections(),
      }).toEqual({ clientClosed: row.closed, pending: '', connections: opened })
      this.#expectReached(row, reached, pieces)
      client.destroy()
      // Whatever of a refused request went on had to take the connection with it.
      const pooled = row.pooled && (!row.statuses.every((status) => status >= 400) || reached === '')
      await this.#expectPooled(used, pooled)
      if ((this.#application.received[this.#idle] as string).length > mostReceived) await this.#renew()
    } catch (error) {
      this.#idle = -1
      throw error
    } finally {
      client.destroy()
    }
  }

  /** Serves one more request, and remembers on which connection. */
  async #useConnection(target = '/next'): Promise<void> {
    if (this.#after === undefined || this.#after.closed) this.#after = new RawClient(this.#sidecar.port)
    this.#after.write(next.replace('/next', target))
    const reply = await this.#after.take((text) => text === okReply)
    if (reply !== okReply) expect(reply).toBe(okReply)
    this.#idle = this.#application.requests.at(-1)?.connection as number
    await settleSockets()
  }

  /** The text of a connection is looked through at each of its bytes, so it should not become long. */
  async #renew(): Promise<void> {
    await this.#useConnection('/last')
    await this.#useConnection()
  }

  async #expectPooled(used: number, pooled: boolean): Promise<void> {
    await settleSockets()
    await this.#useConnection()
    if (!pooled) await settleUntil(() => !this.#application.isOpen(used))
    const seen = { usedAgain: this.#idle === used, open: this.#application.isOpen(used) }
    expect(seen, 'the connection to the application').toEqual({ usedAgain: pooled, open: pooled })
  }

  #answer(head: string, write: (text: string) => void): void {
    if (head === next) {
      write(okReply)
      return
    }
    if (head.startsWith('GET /last ')) {
      write(okReply.replace('\r\n', '\r\nConnection: close\r\n'))
      return
    }
    if (this.#replies.length > 0 && this.#row?.statuses[0] === 101) return
    const reply = this.#row?.reply as string
    const sent = head.startsWith('HEAD ') ? reply.slice(0, reply.indexOf('\r\n\r\n') + 4) : reply
    this.#replies.push(sent)
    write(sent)
  }

  #isExpected(text: string): boolean {
    const { hopFields, statuses } = this.#row as RequestRow
    const replies = this.#replies.map((reply, i) =>
      reply.replace('\r\n\r\n', `\r\n${hopFields[i] ?? ''}\r\n`),
    )
    const forwarded = replies.join('')
    const refusedStatus = statuses.at(-1) as number
    const answered = statuses.length - (refusedStatus >= 400 ? 1 : 0)
    if (this.#replies.length !== answered || !text.startsWith(forwarded)) return false
    if (answered === statuses.length) return text === forwarded
    const parts = refusal.exec(text.slice(forwarded.length))
    return parts !== null && Number(parts[1]) === refusedStatus && Number(parts[2]) === parts[3]?.length
  }

  async #reached(connection: number, before: number): Promise<string> {
    const { optional = '', statuses, upstream } = this.#row as RequestRow
    const turns = statuses.length === 1 && (statuses[0] as number) >= 400 ? turnsOfNothing : turnsOfAll
    await settleSockets()
    for (let turn = 0; turn < turns; turn++) {
      const text = this.#application.received[connection]?.slice(before) as string
      if (text.length >= upstream.length - optional.length) return text
      await settleSockets()
    }
    return this.#application.received[connection]?.slice(before) as string
  }

  #expectReached(
    { upstream, optional = '', statuses }: RequestRow,
    text: string,
    pieces: readonly string[],
  ): void {
    if (statuses.length === 1 && (statuses[0] as number) >= 400) {
      if (pieces.length === 1) expect(text, 'nothing reaches the application').toBe('')
      else expect(isBeginning(text, upstream), JSON.stringify(text)).toBe(true)
    } else if (!text.includes(optional)) {
      expect(joined(text)).toBe(upstream.replace(optional, ''))
    } else {
      expect(joined(text)).toBe(upstream)
    }
  }
}

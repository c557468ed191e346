/** Bytes as they arrive -> the JSON documents in them, one a line. */
import { Buffer } from 'node:buffer'
import { reasonOf, WeftError } from '../errors.ts'

const newline = 10
/** Beyond what etcd keeps in one object (1.5 MiB), with room. */
const longestLineBytes = 16 * 1024 * 1024

export class JsonLines {
  #begun: Buffer[] = []
  #begunBytes = 0

  /** The documents that are complete with `piece`. Throws KUBERNETES_FAILED at what is no JSON, or has no end. */
  push(piece: Buffer): readonly unknown[] {
    const documents: unknown[] = []
    let from = 0
    for (let end = piece.indexOf(newline); end !== -1; end = piece.indexOf(newline, from)) {
      documents.push(...this.#complete(piece.subarray(from, end)))
      from = end + 1
    }
    if (from < piece.length) this.#keep(piece.subarray(from))
    return documents
  }

  #keep(rest: Buffer): void {
    this.#begun.push(rest)
    this.#begunBytes += rest.length
    if (this.#begunBytes > longestLineBytes) throw broken(`a line is longer than ${longestLineBytes} bytes`)
  }

  #complete(last: Buffer): readonly unknown[] {
    const line = this.#begun.length === 0 ? last : Buffer.concat([...this.#begun, last])
    this.#begun = []
    this.#begunBytes = 0
    const text = line.toString('utf8').trim()
    if (text === '') return []
    try {
      return [JSON.parse(text) as unknown]
    } catch (error) {
      throw broken(reasonOf(error), error)
    }
  }
}

function broken(problem: string, cause?: unknown): WeftError {
  return new WeftError('KUBERNETES_FAILED', `the event stream is broken: ${problem}`, { cause })
}

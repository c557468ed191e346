/** A DNS server on a loopback port of its own, whose answers a test changes. */
import dgram from 'node:dgram'
import { isIP } from 'node:net'

const types = { 1: 4, 28: 6 } as const
const noError = 0
const noSuchName = 3
/** The name is that of the question, at offset 12. */
const nameOfQuestion = 0xc00c

export class NameServer {
  /** Addresses by name, in lower case; a name that is not here does not exist. */
  readonly names = new Map<string, readonly string[]>()
  ttlSeconds = 1
  /** It takes questions and answers none. */
  silent = false
  /** What was asked for, as `name family`, each as often as it was. */
  readonly asked: string[] = []
  readonly #socket: dgram.Socket

  private constructor(socket: dgram.Socket) {
    this.#socket = socket
    socket.on('message', (message, from) => {
      const question = readQuestion(message)
      this.asked.push(`${question.name} ${types[question.type as 1 | 28]}`)
      if (this.silent) return
      socket.send(this.#answer(message, question), from.port, from.address)
    })
  }

  static async start(): Promise<NameServer> {
    const socket = dgram.createSocket('udp4')
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
    return new NameServer(socket)
  }

  /** As settings have it. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`
  }

  stop(): void {
    this.#socket.close()
  }

  #answer(message: Buffer, { name, type, end }: Question): Buffer {
    const listed = this.names.get(name)
    const family = types[type as 1 | 28]
    const answers = (listed ?? []).filter((address) => isIP(address) === family)
    const head = Buffer.alloc(12)
    message.copy(head, 0, 0, 2)
    // A response, authoritative, with recursion.
    head.writeUInt16BE(0x8580 | (listed === undefined ? noSuchName : noError), 2)
    head.writeUInt16BE(1, 4)
    head.writeUInt16BE(answers.length, 6)
    const records = answers.map((address) => this.#record(type, address))
    return Buffer.concat([head, message.subarray(12, end), ...records])
  }

  #record(type: number, address: string): Buffer {
    const data = isIP(address) === 4 ? Buffer.from(address.split('.').map(Number)) : loopback6
    const record = Buffer.alloc(12)
    record.writeUInt16BE(nameOfQuestion, 0)
    record.writeUInt16BE(type, 2)
    record.writeUInt16BE(1, 4)
    record.writeUInt32BE(this.ttlSeconds, 6)
    record.writeUInt16BE(data.length, 10)
    return Buffer.concat([record, data])
  }
}

/** The one IPv6 address that tests use. */
const loopback6 = Buffer.from('00000000000000000000000000000001', 'hex')

type Question = { readonly name: string; readonly type: number; readonly end: number }

function readQuestion(message: Buffer): Question {
  const labels: string[] = []
  let at = 12
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 }
}

/** HTTP/2 by hand, for tests that break its rules: frames, header blocks without any compression, and a raw peer. */
import net from 'node:net'
import { HpackDecoder } from '../../proxy/http2/hpack/decoder.ts'

export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

export const types = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
} as const

export const flags = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 0x20 } as const

export function frame(type: number, flag: number, id: number, payload: Buffer | string = ''): Buffer {
  const content = Buffer.from(payload as string, 'latin1')
  const head = Buffer.alloc(9)
  head.writeUIntBE(content.length, 0, 3)
  head[3] = type
  head[4] = flag
  head.writeUInt32BE(id, 5)
  return Buffer.concat([head, content])
}

export const uint32 = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, 4 * i)
  return bytes
}

export const settings = (...entries: readonly (readonly [number, number])[]): Buffer =>
  frame(
    types.settings,
    0,
    0,
    Buffer.concat(
      entries.map(([name, value]) => {
        const entry = Buffer.alloc(6)
        entry.writeUInt16BE(name)
        entry.writeUInt32BE(value, 2)
        return entry
      }),
    ),
  )

export const settingsAck = frame(types.settings, flags.ack, 0)

/** As HPACK has integers, with a prefix of seven bits. */
function integer(value: number): Buffer {
  if (value < 127) return Buffer.from([value])
  const bytes = [127]
  let rest = value - 127
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return Buffer.from([...bytes, rest])
}

const text = (value: string): Buffer => Buffer.concat([integer(value.length), Buffer.from(value, 'latin1')])

/** Literals that are in no table. */
export const block = (...fields: readonly (readonly [string, string])[]): Buffer =>
  Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]))

export const request = (
  method = 'GET',
  path = '/',
  ...more: readonly (readonly [string, string])[]
): (readonly [string, string])[] => [
  [':method', method],
  [':scheme', 'http'],
  [':path', path],
  [':authority', 'app.test'],
  ...more,
]

/** A whole header block in one frame. */
export const headers = (
  id: number,
  fields: readonly (readonly [string, string])[],
  endStream = true,
): Buffer => frame(types.headers, flags.endHeaders | (endStream ? flags.endStream : 0), id, block(...fields))

export const data = (id: number, content: Buffer | string, endStream = true): Buffer =>
  frame(types.data, endStream ? flags.endStream : 0, id, content)

export type Frame = {
  readonly type: number
  readonly flags: number
  readonly id: number
  readonly payload: Buffer
}

const patienceMs = 15_000

/** One end of a connection: sends what it is given, keeps the frames that come. */
export class RawHttp2 {
  readonly socket: net.Socket
  readonly frames: Frame[] = []
  readonly #decoder = new HpackDecoder(4096, { maxListBytes: 1e6, maxFields: 1e4 })
  /** Of each stream, the fields of its header blocks one after the other. */
  readonly heads = new Map<number, Record<string, string>[]>()
  closed = false
  /** Told of each frame. */
  onFrame: (one: Frame) => void = () => undefined
  #bytes: Buffer = Buffer.alloc(0)
  #skip: number
  #wake: () => void = () => undefined

  /** `isServer`: the preface comes before the frames. */
  constructor(socket: net.Socket, isServer = false) {
    this.socket = socket
    this.#skip = isServer ? preface.length : 0
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.closed = true
      this.#wake()
    })
    socket.on('end', () => {
      this.closed = true
      this.#wake()
    })
    socket.on('data', (piece: Buffer) => this.#read(piece))
  }

  /** A client that has said hello, and whose SETTINGS are acknowledged by itself. */
  static async connect(port: number, ...own: readonly (readonly [number, number])[]): Promise<RawHttp2> {
    const peer = new RawHttp2(net.connect({ port, host: '127.0.0.1', noDelay: true }))
    peer.send(preface, settings(...own), settingsAck)
    await peer.until(() =>
      peer.frames.some(({ type, flags: flag }) => type === types.settings && flag === flags.ack),
    )
    return peer
  }

  send(...pieces: readonly Buffer[]): void {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(pieces))
  }

  /** Resolves when `done` holds or the peer has closed. Rejects after 15 s, naming what came. */
  until(done: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const seen = this.frames.map(({ type, id, payload }) => `${type}:${id}:${payload.length}`)
        reject(new Error(`no end in sight; so far: ${seen.join(' ')}`))
      }, patienceMs)
      this.#wake = () => {
        if (!this.closed && !done()) return
        clearTimeout(timer)
        this.#wake = () => undefined
        resolve()
      }
      this.#wake()
    })
  }

  of(type: number, id?: number): Frame[] {
    return this.frames.filter((one) => one.type === type && (id === undefined || one.id === id))
  }

  /** How stream `id` was reset; undefined: it was not. */
  resetCode(id: number): number | undefined {
    return this.of(types.reset, id)[0]?.payload.readUInt32BE(0)
  }

  /** The code of the last GOAWAY. */
  get goawayCode(): number | undefined {
    return this.of(types.goaway).at(-1)?.payload.readUInt32BE(4)
  }

  status(id: number): string | undefined {
    return this.heads.get(id)?.[0]?.[':status']
  }

  content(id: number): string {
    return Buffer.concat(this.of(types.data, id).map(({ payload }) => payload)).toString('latin1')
  }

  /** The peer has said all on stream `id`. */
  ended(id: number): boolean {
    const ends = ({ type, flags: flag }: Frame): boolean =>
      (type === types.data || type === types.headers) && (flag & flags.endStream) !== 0
    return this.frames.some((one) => one.id === id && ends(one))
  }

  /** Resolves when all that was sent so far has been dealt with, or the peer has closed. */
  async settle(): Promise<void> {
    const before = this.of(types.ping).length
    this.send(frame(types.ping, 0, 0, 'settle!!'))
    await this.until(() => this.of(types.ping).length > before)
  }

  destroy(): void {
    this.socket.destroy()
  }

  #read(piece: Buffer): void {
    const skipped = Math.min(this.#skip, piece.length)
    this.#skip -= skipped
    this.#bytes = Buffer.concat([this.#bytes, piece.subarray(skipped)])
    while (this.#bytes.length >= 9) {
      const length = this.#bytes.readUIntBE(0, 3)
      if (this.#bytes.length < 9 + length) break
      this.#take({
        type: this.#bytes[3] as number,
        flags: this.#bytes[4] as number,
        id: this.#bytes.readUInt32BE(5),
        payload: this.#bytes.subarray(9, 9 + length),
      })
      this.#bytes = this.#bytes.subarray(9 + length)
    }
    this.#wake()
  }

  #take(one: Frame): void {
    this.frames.push(one)
    if (one.type === types.headers && (one.flags & flags.endHeaders) !== 0) this.#takeHead(one)
    this.onFrame(one)
  }

  #takeHead(one: Frame): void {
    const decoded = this.#decoder.decode(one.payload, 0, one.payload.length)
    const { status, method, path, authority, scheme, fields } = decoded
    const head: Record<string, string> = {}
    for (const [name, value] of Object.entries({ status, method, path, authority, scheme }))
      if (value !== undefined) head[`:${name}`] = value
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i] as string
      head[name] = head[name] === undefined ? (fields[i + 1] as string) : `${head[name]}, ${fields[i + 1]}`
    }
    this.heads.set(one.id, [...(this.heads.get(one.id) ?? []), head])
  }
}

/** A server that does by hand what `serve` says with each connection. */
export async function startRawHttp2(
  serve: (peer: RawHttp2) => void,
): Promise<{ readonly port: number; readonly peers: readonly RawHttp2[]; readonly stop: () => void }> {
  const peers: RawHttp2[] = []
  const server = net.createServer({ noDelay: true }, (socket) => {
    const peer = new RawHttp2(socket, true)
    peers.push(peer)
    serve(peer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const stop = (): void => {
    for (const peer of peers) peer.destroy()
    server.close()
  }
  return { port: (server.address() as net.AddressInfo).port, peers, stop }
}

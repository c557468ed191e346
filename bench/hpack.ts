/**
 * `npm run bench:hpack`: what HPACK costs for one request that a proxy passes on: decoding its block as Node's client
 * wrote it, and encoding its fields for the next hop. Three loads: the same fields each time; 500 paths in turn; a
 * traceparent and an x-request-id of its own on each. Node's nghttp2 is no part of it, it only wrote the blocks.
 */
import { Buffer } from 'node:buffer'
import { randomBytes, randomUUID } from 'node:crypto'
import http2 from 'node:http2'
import { duplexPair } from 'node:stream'
import { HpackDecoder } from '../proxy/http2/hpack/decoder.ts'
import { HpackEncoder } from '../proxy/http2/hpack/encoder.ts'
import type { HeaderBlock } from '../proxy/http2/hpack/header-block.ts'
import { quartiles } from './quartiles.ts'

const requests = 4000
const rounds = 15
const warmUpRounds = 5
const limits = { maxListBytes: 64 * 1024, maxFields: 256 }

type Load = { readonly name: string; readonly headers: (i: number) => http2.OutgoingHttpHeaders }

const common = {
  ':method': 'GET',
  ':scheme': 'http',
  ':authority': 'catalog.shop.svc.cluster.local:8080',
  accept: '*/*',
  'accept-encoding': 'gzip, deflate, br',
  'accept-language': 'en',
  'cache-control': 'no-cache',
  'content-type': 'application/json',
  'user-agent': 'load/1.0',
  'x-forwarded-proto': 'https',
  'x-tenant': 'blue',
}
const loads: readonly Load[] = [
  { name: 'constant', headers: () => ({ ...common, ':path': '/products/1' }) },
  { name: '500 paths', headers: (i) => ({ ...common, ':path': `/products/${i % 500}/reviews` }) },
  {
    name: 'unique ids',
    headers: () => ({
      ...common,
      ':path': '/products/1',
      traceparent: `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`,
      'x-request-id': randomUUID(),
    }),
  },
]

/** The blocks of so many requests as a node:http2 client writes them, one after the other on one connection. */
async function blocksOf({ headers }: Load): Promise<readonly Buffer[]> {
  const [near, far] = duplexPair()
  const blocks: Buffer[] = []
  let rest = Buffer.alloc(0)
  let skip = 24
  const done = Promise.withResolvers<void>()
  far.on('data', (bytes: Buffer) => {
    rest = Buffer.concat([rest, bytes])
    if (skip > 0 && rest.length < skip) return
    rest = rest.subarray(skip)
    skip = 0
    while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
      const end = 9 + rest.readUIntBE(0, 3)
      const stream = rest.readUInt32BE(5)
      // Without priority and padding: Node writes neither.
      if (rest[3] === 1) {
        blocks.push(Buffer.from(rest.subarray(9, end)))
        far.write(Buffer.from(`000001010500${stream.toString(16).padStart(6, '0')}89`, 'hex'))
      }
      rest = rest.subarray(end)
    }
    if (blocks.length === requests) done.resolve()
  })
  // SETTINGS: as many streams as there are requests.
  far.write(Buffer.from('0000060400000000000003000f4240', 'hex'))
  const session = http2.connect('http://a', { createConnection: () => near })
  session.on('error', (error) => done.reject(error))
  for (let i = 0; i < requests; i++) {
    const stream = session.request(headers(i), { endStream: true })
    stream.on('error', () => undefined)
    if (i % 100 === 99) await new Promise((resolve) => setImmediate(resolve))
  }
  await done.promise
  session.destroy()
  return blocks
}

const output = {
  bytes: Buffer.alloc(64 * 1024),
  length: 0,
  ensure: (n: number): void => {
    if (output.length + n > output.bytes.length) throw new Error('block too large')
  },
}

function decodeAll(blocks: readonly Buffer[], into: HeaderBlock[]): void {
  const decoder = new HpackDecoder(4096, limits)
  for (let i = 0; i < blocks.length; i++) {
    const block = blocks[i] as Buffer
    into[i] = decoder.decode(block, 0, block.length)
  }
}

type Message = { readonly pseudo: readonly string[]; readonly fields: readonly string[] }

function messageOf({ method, scheme, authority, path, fields }: HeaderBlock): Message {
  const pseudo = [':method', method, ':scheme', scheme, ':authority', authority, ':path', path]
  return { pseudo: pseudo as string[], fields }
}

function encodeAll(messages: readonly Message[]): number {
  const encoder = new HpackEncoder()
  let octets = 0
  for (let i = 0; i < messages.length; i++) {
    const { pseudo, fields } = messages[i] as Message
    output.length = 0
    encoder.encode(pseudo, fields, output)
    octets += output.length
  }
  return octets
}

const passes = 5

/** CPU time of one request: the machine may be busy with other things. */
function nanoseconds(run: () => void): number {
  const started = process.cpuUsage()
  for (let pass = 0; pass < passes; pass++) run()
  const { user, system } = process.cpuUsage(started)
  return ((user + system) * 1000) / (requests * passes)
}

const connections = 200

/** What a connection holds, both ways, once it has seen all blocks; needs `--expose-gc`. */
function heldBytes(blocks: readonly Buffer[], messages: readonly Message[], gc: () => void): number {
  const connect = (): readonly [HpackDecoder, HpackEncoder] => {
    const [decoder, encoder] = [new HpackDecoder(4096, limits), new HpackEncoder()]
    for (const block of blocks) decoder.decode(block, 0, block.length)
    for (const { pseudo, fields } of messages) {
      output.length = 0
      encoder.encode(pseudo, fields, output)
    }
    return [decoder, encoder]
  }
  connect()
  gc()
  const before = process.memoryUsage().heapUsed
  const kept = Array.from({ length: connections }, connect)
  gc()
  return (process.memoryUsage().heapUsed - before) / kept.length
}

for (const load of loads) {
  const blocks = await blocksOf(load)
  const decoded: HeaderBlock[] = []
  const decodeNs: number[] = []
  const encodeNs: number[] = []
  let octets = 0
  for (let round = 0; round < warmUpRounds + rounds; round++) {
    const decoding = nanoseconds(() => decodeAll(blocks, decoded))
    const messages = decoded.map(messageOf)
    const encoding = nanoseconds(() => {
      octets = encodeAll(messages)
    })
    if (round < warmUpRounds) continue
    decodeNs.push(decoding)
    encodeNs.push(encoding)
  }
  const read = blocks.reduce((sum, block) => sum + block.length, 0) / requests
  const text = (all: number[]): string => {
    const { median, lower, upper } = quartiles(all)
    return `${median.toFixed(0).padStart(5)} ns (${lower.toFixed(0)} to ${upper.toFixed(0)}, at best ${Math.min(...all).toFixed(0)})`
  }
  process.stdout.write(
    `${load.name.padEnd(10)}  decode ${text(decodeNs)}, ${read.toFixed(0)} octets  encode ${text(encodeNs)}, ${(octets / requests).toFixed(0)} octets`,
  )
  const { gc } = globalThis
  if (gc !== undefined) {
    const held = heldBytes(blocks, decoded.map(messageOf), () => gc())
    process.stdout.write(`  held ${(held / 1024).toFixed(1)} KiB a connection`)
  }
  process.stdout.write('\n')
}

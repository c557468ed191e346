/** The cluster's name server: addresses of Services, of the pods behind headless ones, and of their stable names. */
import dgram from 'node:dgram'
import { isIPv6 } from 'node:net'

export type AddressesOf = (name: string) => readonly string[] | undefined

const headerBytes = 12
const types = { a: 1, aaaa: 28 } as const
const answerTtlSeconds = 1

function questionOf(
  query: Buffer,
): { readonly name: string; readonly type: number; readonly end: number } | undefined {
  const labels: string[] = []
  let at = headerBytes
  for (;;) {
    const length = query[at]
    if (length === undefined || length > 63) return undefined
    at += 1
    if (length === 0) break
    labels.push(query.toString('latin1', at, at + length))
    at += length
  }
  return at + 4 > query.length
    ? undefined
    : { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at), end: at + 4 }
}

function addressBytes(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = address.split('::')
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
  const [before, after] = [groups(head), tail === undefined ? [] : groups(tail)]
  const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after]
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 255]))
}

function record(type: number, address: string): Buffer {
  const data = addressBytes(address)
  const head = Buffer.alloc(12)
  head.writeUInt16BE(0xc000 | headerBytes, 0)
  head.writeUInt16BE(type, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt32BE(answerTtlSeconds, 6)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}

/** The reply to a query; undefined when it is none. */
export function dnsReply(query: Buffer, addressesOf: AddressesOf): Buffer | undefined {
  const question = questionOf(query)
  if (question === undefined) return undefined
  const { name, type, end } = question
  const addresses = addressesOf(name)
  const wanted = (addresses ?? []).filter((address) =>
    isIPv6(address) ? type === types.aaaa : type === types.a,
  )
  const reply = Buffer.concat([query.subarray(0, end), ...wanted.map((address) => record(type, address))])
  // An authoritative answer with recursion, or that there is no such name.
  reply.writeUInt16BE(addresses === undefined ? 0x8583 : 0x8580, 2)
  reply.writeUInt16BE(1, 4)
  reply.writeUInt16BE(wanted.length, 6)
  reply.writeUInt32BE(0, 8)
  return reply
}

/** Answers on port 53 of an address; gives what ends it. */
export async function startDns(address: string, addressesOf: AddressesOf): Promise<() => void> {
  const socket = dgram.createSocket('udp4')
  socket.on('error', (error) => process.stderr.write(`DNS: ${error.message}\n`))
  socket.on('message', (query, { address: client, port }) => {
    const reply = dnsReply(query, addressesOf)
    if (reply !== undefined) socket.send(reply, port, client)
  })
  await new Promise<void>((resolve) => socket.bind(53, address, resolve))
  return () => socket.close()
}

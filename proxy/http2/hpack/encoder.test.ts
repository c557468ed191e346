import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HpackDecoder } from './decoder.ts'
import { type BlockBuffer, HpackEncoder } from './encoder.ts'
import type { HeaderBlock } from './header-block.ts'
import { noNames } from './header-block.ts'

class Output implements BlockBuffer {
  bytes = Buffer.alloc(0)
  length = 0

  ensure(n: number): void {
    // Exactly as much: to write more is seen.
    this.bytes = Buffer.concat([this.bytes.subarray(0, this.length), Buffer.alloc(n)])
  }
}

class Sender {
  readonly encoder = new HpackEncoder()

  hex(pseudo: readonly string[], fields: readonly string[], neverIndexed = noNames): string {
    return this.bytes(pseudo, fields, neverIndexed).toString('hex')
  }

  bytes(pseudo: readonly string[], fields: readonly string[], neverIndexed = noNames): Buffer {
    const output = new Output()
    this.encoder.encode(pseudo, fields, output, neverIndexed)
    return output.bytes.subarray(0, output.length)
  }
}

const limits = { maxListBytes: 1 << 20, maxFields: 10_000 }

function reader(): (bytes: Buffer) => HeaderBlock {
  const decoder = new HpackDecoder(4096, limits)
  return (bytes) => decoder.decode(bytes, 0, bytes.length)
}

const hexOf = (text: string): string => Buffer.from(text, 'latin1').toString('hex')
/** A field without indexing, or never indexed, of a name that the static table has not. */
const plain = (name: string, value: string, pattern = '00'): string =>
  `${pattern}${byte(name.length)}${hexOf(name)}${byte(value.length)}${hexOf(value)}`
const byte = (value: number): string => value.toString(16).padStart(2, '0')

test('what the static table has is one octet', () => {
  expect(new Sender().hex([':method', 'GET', ':scheme', 'https', ':path', '/'], [])).toBe('828784')
  expect(new Sender().hex([':status', '200'], ['accept-encoding', 'gzip, deflate'])).toBe('8890')
})

test('a field enters the table the second time, and is one octet from the third on', () => {
  const sender = new Sender()
  expect(sender.hex([], ['x-a', 'b'])).toBe(plain('x-a', 'b'))
  expect(sender.hex([], ['x-a', 'b'])).toBe(`40${plain('x-a', 'b').slice(2)}`)
  expect(sender.hex([], ['x-a', 'b'])).toBe('be')
})

test('values that are written once leave the table alone', () => {
  const sender = new Sender()
  const decode = reader()
  for (let i = 0; i < 200; i++) {
    const block = decode(sender.bytes([], ['x-request-id', `id-${i}`, 'x-a', 'b']))
    expect(block.fields).toEqual(['x-request-id', `id-${i}`, 'x-a', 'b'])
  }
  expect(sender.hex([], ['x-a', 'b'])).toBe('be')
})

test('a value that stays, where there was a new one in each block before, enters the table as well', () => {
  const sender = new Sender()
  for (let i = 0; i < 200; i++) sender.bytes([], ['x-build', `build-${i}`])
  const octets = Array.from({ length: 64 }, () => sender.bytes([], ['x-build', 'build-final']).length)
  expect(octets.at(-1)).toBe(1)
  expect(octets.filter((length) => length > 1).length).toBeLessThanOrEqual(2 * 16)
})

test('a place knows another name, in whatever case, from the one before', () => {
  const sender = new Sender()
  const decode = reader()
  for (const name of ['x-a', 'X-A', 'x-b', 'X-B', 'x-a'])
    for (let i = 0; i < 20; i++)
      expect(decode(sender.bytes([], [name, `v-${i}`])).fields).toEqual([name.toLowerCase(), `v-${i}`])
})

test('what is in use is not pushed out by what keeps changing', () => {
  const sender = new Sender()
  const decode = reader()
  const constant = ['x-a', 'b', 'x-c', 'd']
  const octets: number[] = []
  for (let i = 0; i < 1000; i++) {
    const bytes = sender.bytes([':path', `/${'p'.repeat(60)}/${i % 200}`], constant)
    octets.push(bytes.length)
    expect(decode(bytes).path).toBe(`/${'p'.repeat(60)}/${i % 200}`)
  }
  // The table holds both of the others, and most of its room is paths; the rest are literals, and no new entries.
  expect(octets.slice(-200).filter((length) => length === 3).length).toBeGreaterThan(30)
  expect(octets.slice(-200).filter((length) => length > 3 && length < 60)).toEqual([])
})

test('the oldest entries go once nothing uses them', () => {
  const sender = new Sender()
  const write = (name: string): string => sender.hex([], [name, 'v'.repeat(1000)])
  for (const name of ['x-a', 'x-b', 'x-c', 'x-d']) for (let i = 0; i < 3; i++) write(name)
  expect(write('x-d')).toBe('be')
  for (let i = 0; i < 100; i++) write('x-d')
  for (let i = 0; i < 3; i++) write('x-e')
  expect(write('x-e')).toBe('be')
})

describe('never indexed is', () => {
  test('what came so, whatever the table knows', () => {
    const sender = new Sender()
    for (let i = 0; i < 3; i++) sender.hex([':path', '/x'], ['x-a', 'b'])
    expect(sender.hex([':path', '/x'], ['x-a', 'b'], ['x-a'])).toBe(`bf${plain('x-a', 'b', '10')}`)
    expect(sender.hex([':path', '/x'], ['x-a', 'b'], [':path'])).toBe(`14${plain('', '/x').slice(4)}be`)
    expect(sender.hex([':method', 'GET'], [], [':method'])).toBe(`12${plain('', 'GET').slice(4)}`)
  })

  test('a credential, and a short cookie', () => {
    const sender = new Sender()
    const fields = ['authorization', 'Bearer x', 'x-api-key', 'k', 'cookie', 'a=b', 'set-cookie', 'c=d']
    for (let i = 0; i < 3; i++) {
      const decode = reader()
      expect(decode(sender.bytes([], fields)).neverIndexed).toEqual([
        'authorization',
        'x-api-key',
        'cookie',
        'set-cookie',
      ])
    }
  })

  test('but not a cookie that nobody guesses', () => {
    const sender = new Sender()
    const cookie = ['cookie', `session=${'0123456789abcdef'.repeat(2)}`]
    for (let i = 0; i < 2; i++) sender.hex([], cookie)
    expect(sender.hex([], cookie)).toBe('be')
  })
})

test('HTTP/2 gets no connection-specific field, in whatever case it was written', () => {
  const fields = ['Connection', 'close', 'Proxy-Connection', 'x', 'Keep-Alive', 'x', 'Upgrade', 'h2c']
  const more = ['Transfer-Encoding', 'chunked', 'HTTP2-Settings', 'x', 'TE', 'gzip', 'Host', 'a', 'X-A', 'b']
  const sender = new Sender()
  for (let i = 0; i < 3; i++) {
    const { authority, fields: sent } = reader()(
      new Sender().bytes([':authority', 'a'], [...fields, ...more]),
    )
    expect([authority, ...sent]).toEqual(['a', 'x-a', 'b'])
    sender.bytes([':authority', 'a'], [...fields, ...more])
  }
  expect(sender.hex([':authority', 'a'], [...fields, ...more])).toBe('bfbe')
  expect(reader()(new Sender().bytes([], ['Host', 'a', 'te', 'Trailers'])).fields).toEqual([
    'host',
    'a',
    'te',
    'Trailers',
  ])
})

describe('the size that the peer allows', () => {
  const x = ['x-a', 'b']
  const inTable = (sender: Sender): void => {
    for (let i = 0; i < 3; i++) sender.hex([], x)
    expect(sender.hex([], x)).toBe('be')
  }

  test('of 0 is said at once, and nothing is indexed until there is more', () => {
    const sender = new Sender()
    inTable(sender)
    sender.encoder.setMaxTableBytes(0)
    expect(sender.hex([], x)).toBe(`20${plain('x-a', 'b')}`)
    expect(sender.hex([], x)).toBe(plain('x-a', 'b'))
    sender.encoder.setMaxTableBytes(65_536)
    expect(sender.hex([], [])).toBe('3fe11f')
    sender.hex([], x)
    expect(sender.hex([], x)).toBe('be')
  })

  test('above 4096 is not used', () => {
    const sender = new Sender()
    sender.encoder.setMaxTableBytes(2 ** 32 - 1)
    expect(sender.hex([':method', 'GET'], [])).toBe('82')
    sender.encoder.setMaxTableBytes(65_536)
    expect(sender.hex([':method', 'GET'], [])).toBe('82')
  })

  test('that went down and up between two blocks is said with both, the smaller first', () => {
    const sender = new Sender()
    inTable(sender)
    sender.encoder.setMaxTableBytes(100)
    sender.encoder.setMaxTableBytes(50)
    sender.encoder.setMaxTableBytes(4096)
    expect(sender.hex([], x)).toBe('3f13 3fe11f be'.replaceAll(' ', ''))
    sender.encoder.setMaxTableBytes(10)
    sender.encoder.setMaxTableBytes(4096)
    expect(sender.hex([], [])).toBe('2a3fe11f')
    expect(sender.hex([], x)).toMatch(/^40/)
  })

  test('that stays the same is not said', () => {
    const sender = new Sender()
    sender.encoder.setMaxTableBytes(4096)
    expect(sender.hex([], [])).toBe('')
    sender.encoder.setMaxTableBytes(1000)
    expect(sender.hex([], [])).toBe('3fc907')
    sender.encoder.setMaxTableBytes(1000)
    expect(sender.hex([], [])).toBe('')
  })
})

test('a field larger than the table, or its value longer than anything, is a literal', () => {
  const sender = new Sender()
  const decode = reader()
  for (const length of [3000, 5000, 70_000])
    for (let i = 0; i < 3; i++) {
      const value = String(i).padEnd(length, 'x')
      expect(decode(sender.bytes([], ['x-a', value, 'x-b', 'c'])).fields[1]).toBe(value)
      expect(decode(sender.bytes([], ['x-a', value, 'x-b', 'c'])).fields[1]).toBe(value)
    }
})

test('any blocks, in any order, with any table sizes between them, are read as they were meant', () => {
  const name = fc.constantFrom('x-a', 'X-B', 'cookie', 'content-type', 'accept', 'date', 'authorization')
  const value = fc.oneof(
    fc.constantFrom('', 'a', 'application/grpc', 'x'.repeat(500), 'y'.repeat(2500), '\xe9\xff'),
    fc.string({
      maxLength: 40,
      unit: fc.integer({ min: 0x21, max: 0x7e }).map((c) => String.fromCharCode(c)),
    }),
  )
  const list = fc.array(fc.tuple(name, value), { maxLength: 8 })
  const path = fc.constantFrom('/', '/a', '/b/c', `/${'d'.repeat(300)}`)
  const sizes = fc.array(fc.constantFrom(0, 40, 100, 1000, 4096, 65_536), { maxLength: 2 })
  const block = fc.record({ list, path, sizes, never: fc.constantFrom(noNames, ['x-a'], [':path']) })
  fc.assert(
    fc.property(fc.array(block, { minLength: 2, maxLength: 12 }), (blocks) => {
      const sender = new Sender()
      const decoder = new HpackDecoder(4096, limits)
      // Each three times, so that the table is used.
      for (const { list: pairs, path: target, sizes: allowed, never } of [...blocks, ...blocks, ...blocks]) {
        for (const size of allowed) {
          sender.encoder.setMaxTableBytes(size)
          decoder.setMaxTableBytes(Math.min(size, 4096))
        }
        const bytes = sender.bytes([':path', target], pairs.flat(), never)
        const read = decoder.decode(bytes, 0, bytes.length)
        expect(read.path).toBe(target)
        expect(read.fields).toEqual(pairs.flatMap(([key, text]) => [key.toLowerCase(), text]))
        for (const lower of never) {
          if (lower === ':path' || pairs.some(([key]) => key === lower))
            expect(read.neverIndexed).toContain(lower)
        }
      }
    }),
    { numRuns: 60 },
  )
})

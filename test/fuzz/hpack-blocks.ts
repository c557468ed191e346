/** Arbitrary header blocks: of every form that RFC 7541 has, and of some that it has not. */
import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { huffmanLength, huffmanWrite } from '../../proxy/http2/hpack/huffman-encode.ts'

/** An integer behind `pattern`; `padding` octets more than it needs, where it needs more than its prefix. */
export function integer(pattern: number, prefixBits: number, value: number, padding = 0): Buffer {
  const mask = 2 ** prefixBits - 1
  if (value < mask) return Buffer.of(pattern | value)
  const octets = [pattern | mask]
  let rest = value - mask
  for (; rest >= 128; rest = Math.floor(rest / 128)) octets.push((rest % 128) | 0x80)
  octets.push(rest)
  for (let i = 0; i < padding; i++) {
    octets[octets.length - 1] = (octets.at(-1) as number) | 0x80
    octets.push(0)
  }
  return Buffer.from(octets)
}

function string(text: string, coded: boolean): Buffer {
  if (!coded) return Buffer.concat([integer(0, 7, text.length), Buffer.from(text, 'latin1')])
  const bytes = Buffer.alloc(huffmanLength(text))
  huffmanWrite(text, bytes, 0)
  return Buffer.concat([integer(0x80, 7, bytes.length), bytes])
}

const index = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 61 }) },
  { weight: 6, arbitrary: fc.integer({ min: 62, max: 67 }) },
  { weight: 1, arbitrary: fc.integer({ min: 68, max: 130 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 255, 16_510, 2 ** 28, 2 ** 31, 2 ** 32 + 1) },
)
const latin1 = fc.nat({ max: 255 }).map((code) => String.fromCharCode(code))
export const fieldNameText = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('x-a', 'x-bc', 'cookie', 'accept', 'x-trace', 'content-type') },
  { weight: 3, arbitrary: fc.stringMatching(/^[!#$%&'*+.^_`|~0-9a-z-]{1,20}$/) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'te',
      'connection',
      'keep-alive',
      'transfer-encoding',
      'X-A',
      '',
      ':path',
      ':x',
      'a:',
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: latin1, maxLength: 8 }) },
)
export const fieldValueText = fc.oneof(
  { weight: 6, arbitrary: fc.stringMatching(/^[!-~]{0,30}$/) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('', 'trailers', 'a b', 'a\tb', '\xe9', 'x'.repeat(1000), 'y'.repeat(4064)),
  },
  { weight: 1, arbitrary: fc.constantFrom(' a', 'a\t', 'a\r\nb', 'a\0', '\x7f', '\x01') },
  { weight: 1, arbitrary: fc.string({ unit: latin1, maxLength: 40 }) },
)

const indexed = index.map((n) => integer(0x80, 7, n))
const padding = fc.oneof(
  { weight: 9, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.nat({ max: 6 }) },
)
const literal = fc
  .record({
    form: fc.constantFrom([0x40, 6], [0x40, 6], [0x00, 4], [0x10, 4]),
    name: fc.oneof(index, fieldNameText),
    value: fieldValueText,
    coded: fc.tuple(fc.boolean(), fc.boolean()),
    padding,
  })
  .map(({ form, name, value, coded, padding: more }) => {
    const [pattern, bits] = form as [number, number]
    const start =
      typeof name === 'number'
        ? integer(pattern, bits, name, more)
        : Buffer.concat([Buffer.of(pattern), string(name, coded[0])])
    return Buffer.concat([start, string(value, coded[1])])
  })
/** Of sizes around that of an entry, two and three: `inserted` below is 33 to 35. */
const sizeUpdate = fc
  .constantFrom(0, 1, 33, 34, 35, 68, 69, 102, 103, 1000, 4095, 4096, 4097, 65_536, 2 ** 31)
  .map((size) => integer(0x20, 5, size))
const inserted = fc
  .tuple(fc.constantFrom('a', 'b'), fc.constantFrom('', 'c', 'de'))
  .map(([name, value]) => Buffer.concat([Buffer.of(0x40), string(name, false), string(value, false)]))
/** What stands there as Huffman code may be none. */
const anyCode = fc
  .oneof(
    fc.constantFrom('ffffffff', 'fe3fffffff', 'ff', '1fff', 'fffffffb', '07', '03', ''),
    fc.stringMatching(/^(?:[0-9a-f][0-9a-f]){1,6}$/),
  )
  .map((hex) => Buffer.from(hex, 'hex'))
  .map((code) => Buffer.concat([Buffer.of(0), string('x-h', false), integer(0x80, 7, code.length), code]))

/** Twice, and more often than a list may have fields. */
const again = fc
  .tuple(
    fc.oneof(indexed, fc.constant(Buffer.from('\0\x02te\x08trailers', 'latin1'))),
    fc.constantFrom(2, 2, 130),
  )
  .map(([bytes, times]) => Buffer.concat(Array.from({ length: times }, () => bytes)))
const field = fc.oneof(
  { weight: 24, arbitrary: indexed },
  { weight: 24, arbitrary: literal },
  { weight: 12, arbitrary: inserted },
  { weight: 2, arbitrary: anyCode },
  { weight: 1, arbitrary: again },
)
/** `:method: GET`, `:scheme: http`, `:path: /`, `:authority: a`: without them most blocks are no requests. */
const request = Buffer.from('828684410161', 'hex')

const whole = fc
  .record({
    updates: fc.oneof(
      { weight: 8, arbitrary: fc.constant([]) },
      { weight: 2, arbitrary: fc.array(sizeUpdate, { minLength: 1, maxLength: 3 }) },
    ),
    start: fc.oneof(
      { weight: 9, arbitrary: fc.constant(request) },
      { weight: 1, arbitrary: fc.constant(Buffer.of()) },
    ),
    fields: fc.array(field, { maxLength: 6 }),
    late: fc.oneof({ weight: 30, arbitrary: fc.constant(Buffer.of()) }, { weight: 1, arbitrary: sizeUpdate }),
  })
  .map(({ updates, start, fields, late }) => Buffer.concat([...updates, start, ...fields, late]))

type Change = {
  readonly at: number
  readonly kind: 'set' | 'insert' | 'remove' | 'cut'
  readonly byte: number
}

const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat({ max: 5000 }),
  kind: fc.constantFrom('set', 'insert', 'remove', 'cut'),
  byte: fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0, 0x7f, 0x80, 0xff, 0x20, 0x3f, 0x40, 0x10, 0x0f)),
})

function changed(block: Buffer, { at, kind, byte }: Change): Buffer {
  const i = at % (block.length + 1)
  const before = block.subarray(0, i)
  if (kind === 'cut') return before
  if (kind === 'insert') return Buffer.concat([before, Buffer.of(byte), block.subarray(i)])
  return Buffer.concat([before, Buffer.of(...(kind === 'set' ? [byte] : [])), block.subarray(i + 1)])
}

const block = fc
  .tuple(
    whole,
    fc.oneof(
      { weight: 4, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(change, { minLength: 1, maxLength: 2 }) },
    ),
  )
  .map(([bytes, changes]) => changes.reduce(changed, bytes))

/** Fills a table, small or not, so that there is something to refer to. */
const first = fc
  .tuple(
    fc.constantFrom('', '', '3f25', '3f26', '3f47', '3f48', '3f69', '3f6a'),
    fc.array(inserted, { minLength: 4, maxLength: 8 }),
  )
  .map(([size, fields]) => Buffer.concat([Buffer.from(size, 'hex'), request, ...fields]))

/** Blocks that follow each other on one connection; most come again among the others, as they do from real peers. */
export const blocks: fc.Arbitrary<readonly Buffer[]> = fc
  .tuple(
    first,
    fc.array(block, { minLength: 1, maxLength: 4 }),
    fc.array(fc.nat({ max: 3 }), { minLength: 4, maxLength: 24 }),
  )
  .map(([start, pool, order]) => [start, ...order.map((n) => pool[n % pool.length] as Buffer)])

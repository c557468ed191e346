import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HpackDecoder } from './decoder.ts'
import type { HeaderBlock } from './header-block.ts'
import { HpackError } from './hpack-error.ts'
import { writeInteger } from './write-literal.ts'

const limits = { maxListBytes: 64 * 1024, maxFields: 256 }
const pseudoNames = ['method', 'scheme', 'authority', 'path', 'status', 'protocol'] as const

/** The fields of a block as text, pseudo-headers first. */
function lines(block: HeaderBlock): readonly string[] {
  const pseudo = pseudoNames.filter((name) => block[name] !== undefined)
  const fields = block.fields.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${block.fields[i + 1]}`] : []))
  return [...pseudo.map((name) => `:${name}: ${block[name]}`), ...fields]
}

class Peer {
  readonly decoder: HpackDecoder

  constructor(maxTableBytes = 4096, listLimits = limits) {
    this.decoder = new HpackDecoder(maxTableBytes, listLimits)
  }

  block(hex: string): HeaderBlock {
    const bytes = Buffer.from(`eeee${hex.replaceAll(' ', '')}eeee`, 'hex')
    return this.decoder.decode(bytes, 2, bytes.length - 2)
  }

  lines(hex: string): readonly string[] {
    return lines(this.block(hex))
  }

  /** What a block is refused for. */
  refusal(hex: string): string {
    try {
      this.block(hex)
    } catch (error) {
      if (error instanceof HpackError) return `${error.kind}: ${error.message}`
      throw error
    }
    return 'nothing'
  }
}

/** A literal with a new name, neither coded: of the pattern 40 (inserted), 00 or 10 (never indexed). */
function literal(name: string, value: string, pattern = '00'): string {
  const text = (string: string): string => {
    const length = Buffer.alloc(6)
    const octets = writeInteger(length, 0, 0, 7, string.length)
    return length.toString('hex', 0, octets) + Buffer.from(string, 'latin1').toString('hex')
  }
  return pattern + text(name) + text(value)
}

const www = '0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d'
const requests = [
  [':method: GET', ':scheme: http', ':authority: www.example.com', ':path: /'],
  [':method: GET', ':scheme: http', ':authority: www.example.com', ':path: /', 'cache-control: no-cache'],
  [
    ':method: GET',
    ':scheme: https',
    ':authority: www.example.com',
    ':path: /index.html',
    'custom-key: custom-value',
  ],
]
const date = (second: number): string => `date: Mon, 21 Oct 2013 20:13:2${second} GMT`
const responses = [
  [':status: 302', 'cache-control: private', date(1), 'location: https://www.example.com'],
  [':status: 307', 'cache-control: private', date(1), 'location: https://www.example.com'],
  [
    ':status: 200',
    'cache-control: private',
    date(2),
    'location: https://www.example.com',
    'content-encoding: gzip',
    'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
  ],
]

describe('RFC 7541 Appendix C', () => {
  test.each([
    [
      'C.3, requests without Huffman coding',
      4096,
      requests,
      [
        `8286 8441 ${www}`,
        '8286 84be 5808 6e6f 2d63 6163 6865',
        '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
      ],
    ],
    [
      'C.4, requests with Huffman coding',
      4096,
      requests,
      [
        '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
        '8286 84be 5886 a8eb 1064 9cbf',
        '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
      ],
    ],
    [
      'C.5, responses without Huffman coding, in a table of 256',
      256,
      responses,
      [
        '3fe1 01 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '4803 3330 37c1 c0bf',
        '88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31',
      ],
    ],
    [
      'C.6, responses with Huffman coding, in a table of 256',
      256,
      responses,
      [
        '3fe1 01 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
        '4883 640e ffc1 c0bf',
        '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
      ],
    ],
  ])('%s', (_, maxTableBytes, lists, blocks) => {
    const peer = new Peer(maxTableBytes)
    expect(blocks.map((block) => peer.lines(block))).toEqual(lists)
  })

  test('C.2: the four forms of a field', () => {
    expect(new Peer().lines('400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572')).toEqual([
      'custom-key: custom-header',
    ])
    expect(new Peer().lines('040c 2f73 616d 706c 652f 7061 7468')).toEqual([':path: /sample/path'])
    const never = new Peer().block('1008 7061 7373 776f 7264 0673 6563 7265 74')
    expect(lines(never)).toEqual(['password: secret'])
    expect(never.neverIndexed).toEqual(['password'])
    expect(new Peer().lines('82')).toEqual([':method: GET'])
  })
})

describe('a compression error is', () => {
  const cases: readonly (readonly [name: string, hex: string, reason: string])[] = [
    ['index 0', '80', 'index of no entry'],
    ['an index of an empty table', 'be', 'index of no entry'],
    ['a name of an empty table', '7e0161', 'index of no entry'],
    ['an index above 2^32, whose low bits are 2', 'ff83ffffff0f', 'malformed integer'],
    ['an index of 2^28 and more', 'ffffffffff7f', 'malformed integer'],
    ['an integer of ten octets of nothing', `ff${'80'.repeat(10)}00`, 'malformed integer'],
    ['an integer that the block ends in', 'ff', 'malformed integer'],
    ['an integer that the block ends in later', 'ff80', 'malformed integer'],
    ['a table size above 2^31', '3fe1ffffff07', 'malformed integer'],
    ['a table size above our setting', '3fe21f', 'table size above our setting'],
    ['three table size updates', '203fe11f20', 'too many table size updates'],
    ['a table size update behind a field', '8220', 'table size update behind a field'],
    ['a string longer than its block', '0001780a61', 'string longer than its block'],
    ['a string of a megabyte in a block of six octets', '0001787fe1ff3f', 'string longer than its block'],
    ['a name longer than its block', '007f0061', 'string longer than its block'],
    ['a literal without a value', '000178', 'block ends within a field'],
    ['a literal of a pattern alone', '00', 'block ends within a field'],
    ['Huffman code with a zero in its padding', '00017881f0', 'malformed Huffman code'],
    ['Huffman code of EOS', '00017884ffffffff', 'malformed Huffman code'],
  ]
  test.each(cases)('%s', (_, hex, reason) => {
    expect(new Peer().refusal(hex)).toBe(`compression: ${reason}`)
  })

  test('a block that is cut off anywhere but between fields', () => {
    const whole = `8286 8441 ${www} 400a 6375 7374 6f6d 2d6b 6579 8825 a849 e95b b8e8 b4`.replaceAll(' ', '')
    const refused: number[] = []
    for (let octets = 0; octets <= whole.length / 2; octets++)
      if (new Peer().refusal(whole.slice(0, octets * 2)) !== 'nothing') refused.push(octets)
    const between = new Set([0, 1, 2, 3, 20])
    expect(refused).toEqual(
      Array.from({ length: whole.length / 2 + 1 }, (_, i) => i).filter((i) => !between.has(i)),
    )
  })
})

describe('the dynamic table', () => {
  const insertA = literal('a', 'b', '40')

  test('is emptied by size 0, and may be made larger again in the same block', () => {
    const peer = new Peer()
    expect(peer.lines(insertA)).toEqual(['a: b'])
    expect(peer.lines('be')).toEqual(['a: b'])
    expect(peer.lines('20 3fe11f')).toEqual([])
    expect(peer.refusal('be')).toBe('compression: index of no entry')
  })

  test('keeps an entry of exactly its size; a larger one empties it and is no error', () => {
    const peer = new Peer()
    // 34 octets: `a: b` and nothing else.
    expect(peer.lines(`3f03${insertA}`)).toEqual(['a: b'])
    expect(peer.lines('be')).toEqual(['a: b'])
    expect(peer.lines(literal('a', 'bc', '40'))).toEqual(['a: bc'])
    expect(peer.refusal('be')).toBe('compression: index of no entry')
  })

  test('lends a name to the entry that pushes it out', () => {
    const peer = new Peer()
    expect(peer.lines(`3f03${insertA}`)).toEqual(['a: b'])
    expect(peer.lines('7e0163')).toEqual(['a: c'])
    expect(peer.lines('be')).toEqual(['a: c'])
  })

  test('pushes out the oldest first, and holds as many as fit', () => {
    const peer = new Peer()
    const names = Array.from({ length: 300 }, (_, i) => `n${String(i).padStart(3, '0')}`)
    for (const name of names) peer.block(literal(name, 'x', '40'))
    // 37 octets each.
    const kept = Math.floor(4096 / 37)
    const index = (age: number): string =>
      62 + age < 127
        ? (0x80 | (62 + age)).toString(16)
        : `ff${(62 + age - 127).toString(16).padStart(2, '0')}`
    for (let age = 0; age < kept; age++) expect(peer.lines(index(age))).toEqual([`${names[299 - age]}: x`])
    expect(peer.refusal(index(kept))).toBe('compression: index of no entry')
  })

  test('has to be made smaller once the peer has acknowledged that, and not before', () => {
    const peer = new Peer(1024)
    expect(peer.lines('3fe11f')).toEqual([])
    peer.decoder.setMaxTableBytes(1024)
    expect(peer.lines('3fe107')).toEqual([])
    const other = new Peer(1024)
    other.decoder.setMaxTableBytes(1024)
    expect(other.refusal('82')).toBe('compression: table not made smaller')
  })
})

describe('a list that is too large', () => {
  test('is one octet, or one field, above the limit', () => {
    // 34 octets each.
    const field = literal('a', 'b')
    const small = { maxListBytes: 102, maxFields: 4 }
    expect(new Peer(4096, small).lines(field.repeat(3))).toHaveLength(3)
    expect(new Peer(4096, { ...small, maxListBytes: 101 }).refusal(field.repeat(3))).toBe(
      'list-too-large: header fields are too large',
    )
    expect(new Peer(4096, { ...small, maxFields: 2 }).refusal(field.repeat(3))).toBe(
      'list-too-large: too many header fields',
    )
  })

  test('leaves the table as it should be', () => {
    const peer = new Peer(4096, { maxListBytes: 4096, maxFields: 2 })
    const block = literal('a', 'b') + literal('c', 'd', '40').repeat(2) + literal('e', 'f', '40')
    expect(peer.refusal(block)).toMatch(/^list-too-large/)
    expect(peer.lines('bebf')).toEqual(['e: f', 'c: d'])
  })

  test('of 16,384 references to one large entry is not kept in memory', () => {
    const peer = new Peer()
    expect(peer.block(literal('a', 'x'.repeat(4000), '40')).fields).toHaveLength(2)
    const bomb = Buffer.alloc(16_384, 0xbe)
    const before = process.memoryUsage().heapUsed
    expect(() => peer.decoder.decode(bomb, 0, bomb.length)).toThrow('too many header fields')
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(2 * 1024 * 1024)
  })
})

describe('malformed as a message is', () => {
  const cases: readonly (readonly [name: string, hex: string, reason: string])[] = [
    ['an upper-case name', literal('X-a', 'b'), 'upper-case field name'],
    ['an empty name', literal('', 'b'), 'empty field name'],
    ['a name with a space', literal('a b', 'c'), 'malformed field name'],
    ['a name with a colon', literal('a:b', 'c'), 'malformed field name'],
    ['a name above ASCII', literal('\xe9', 'c'), 'malformed field name'],
    ['a name of a colon alone', literal(':', 'c'), 'unknown pseudo-header field'],
    ['an unknown pseudo-header', literal(':foo', 'c'), 'unknown pseudo-header field'],
    ['an upper-case pseudo-header', literal(':Path', 'c'), 'unknown pseudo-header field'],
    ['a pseudo-header behind a field', `${literal('a', 'b')}82`, 'pseudo-header field after a regular one'],
    ['a pseudo-header twice', '8283', 'pseudo-header field twice'],
    ['an empty pseudo-header twice', '8181', 'pseudo-header field twice'],
    ['a NUL in a value', literal('a', 'b\0c'), 'malformed field value'],
    ['a CR in a value', literal('a', 'b\r'), 'malformed field value'],
    ['a LF in a value', literal('a', '\nb'), 'malformed field value'],
    ['a control in a value', literal('a', 'b\x01c'), 'malformed field value'],
    ['a DEL in a value', literal('a', 'b\x7fc'), 'malformed field value'],
    ['a space before a value', literal('a', ' b'), 'white space around a field value'],
    ['a tab behind a value', literal('a', 'b\t'), 'white space around a field value'],
    ['connection', literal('connection', 'close'), 'connection-specific field'],
    ['proxy-connection', literal('proxy-connection', 'close'), 'connection-specific field'],
    ['keep-alive', literal('keep-alive', '1'), 'connection-specific field'],
    ['transfer-encoding', literal('transfer-encoding', 'chunked'), 'connection-specific field'],
    ['transfer-encoding by its index', '0f2a 0163', 'connection-specific field'],
    ['upgrade', literal('upgrade', 'h2c'), 'connection-specific field'],
    ['te of gzip', literal('te', 'gzip'), 'te other than trailers'],
    ['te of trailers and more', literal('te', 'trailers, deflate'), 'te other than trailers'],
    ['te twice', literal('te', 'trailers').repeat(2), 'te other than trailers'],
  ]
  test.each(cases)('%s', (_, hex, reason) => {
    expect(new Peer().block(hex).malformed).toBe(reason)
  })

  test('what the table remembers, each time', () => {
    const peer = new Peer()
    expect(peer.block(literal('a', 'b\r\nc', '40')).malformed).toBe('malformed field value')
    expect(peer.block('be').malformed).toBe('malformed field value')
    // The name is as good as any.
    expect(peer.block('7e0163').malformed).toBeUndefined()
  })

  test.each([
    ['te of trailers, in any case', literal('te', 'Trailers')],
    ['a tab within a value', literal('a', 'b\tc')],
    ['an empty value', literal('a', '')],
    ['__proto__', literal('__proto__', 'x')],
    ['two cookies', literal('cookie', 'a=b').repeat(2)],
  ])('and not %s', (_, hex) => {
    expect(new Peer().block(hex).malformed).toBeUndefined()
  })
})

describe('a block that comes again', () => {
  test('is decoded twice, and one object from then on', () => {
    const peer = new Peer()
    const first = peer.block(literal('a', 'b'))
    const second = peer.block(literal('a', 'b'))
    expect(second).not.toBe(first)
    expect(peer.block(literal('a', 'b'))).toBe(second)
    expect(peer.block(literal('a', 'c'))).not.toBe(second)
  })

  test('inserts what it inserted, each time', () => {
    const peer = new Peer()
    peer.block(literal('x', 'y', '40'))
    const all = Array.from({ length: 5 }, () => peer.block(literal('a', 'b', '40')))
    expect(all[4]).toBe(all[1])
    expect(peer.lines('be bf c0 c1 c2 c3')).toEqual([...Array.from({ length: 5 }, () => 'a: b'), 'x: y'])
  })

  test('is another one when the table is', () => {
    const peer = new Peer()
    peer.block(literal('a', 'b', '40'))
    for (let i = 0; i < 3; i++) expect(peer.lines('be')).toEqual(['a: b'])
    peer.block(literal('c', 'd', '40'))
    expect(peer.lines('be')).toEqual(['c: d'])
    expect(peer.lines('bf')).toEqual(['a: b'])
  })

  test('finds what its own insertion has pushed out this time gone', () => {
    const peer = new Peer()
    peer.block('3f61')
    const x = literal('a', 'b', '40')
    const insertThenReferToX = `${literal('c', 'd'.repeat(9), '40')}c0`
    for (let i = 0; i < 3; i++) {
      peer.block(x)
      peer.block(literal('y', 'z', '40'))
      expect(peer.lines(insertThenReferToX)).toEqual(['c: ddddddddd', 'a: b'])
    }
    peer.block(x)
    peer.block(literal('y', 'z'.repeat(37), '40'))
    expect(peer.refusal(insertThenReferToX)).toBe('compression: index of no entry')
  })

  test('means what it would mean if it had not been there before', () => {
    const part = fc.constantFrom(
      'be',
      'bf',
      'c2',
      '7e0178',
      '7f000179',
      literal('a', 'b', '40'),
      literal('c', 'd', '40'),
      literal('e', 'f'.repeat(40), '40'),
      literal('g', 'h'.repeat(400), '40'),
      literal('i', 'j', '10'),
      '82',
    )
    const pool = fc.array(
      fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('')),
      { minLength: 1, maxLength: 4 },
    )
    // 128, 256, 4096 octets.
    const size = fc.constantFrom('3f61', '3fe101', '3fe11f')
    fc.assert(
      fc.property(
        pool,
        size,
        fc.array(fc.nat({ max: 3 }), { minLength: 4, maxLength: 60 }),
        (all, update, order) => {
          const [peer, reference] = [new Peer(), new Peer()]
          peer.block(update)
          for (const n of order) {
            const hex = all[n % all.length] as string
            // A size update makes a decoder forget what it has seen.
            const ours = read(peer, hex)
            expect(ours).toEqual(read(reference, update + hex))
            if (typeof ours === 'string') break
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})

/** What a block says, or what it is refused for. */
function read(peer: Peer, hex: string): string | readonly unknown[] {
  try {
    const block = peer.block(hex)
    return [...lines(block), block.neverIndexed, block.malformed]
  } catch (error) {
    return String(error)
  }
}

test('octets above 0x7f stay what they are', () => {
  expect(new Peer().lines(literal('a', '\x80\xc3\xa9\xff'))).toEqual(['a: \x80\xc3\xa9\xff'])
})

test('never-indexed fields are named once, pseudo-headers too', () => {
  const block = new Peer().block(`14 02 2f78 ${literal('a', 'b', '10').repeat(2)} ${literal('c', 'd')}`)
  expect(block.neverIndexed).toEqual([':path', 'a'])
})

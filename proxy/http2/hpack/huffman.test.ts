import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { codeLengths, codes, endOfString } from './huffman-code.ts'
import { huffmanDecode, decodeRoom } from './huffman-decode.ts'
import { huffmanLength, huffmanWrite } from './huffman-encode.ts'

function encode(text: string): Buffer {
  const bytes = Buffer.alloc(huffmanLength(text))
  expect(huffmanWrite(text, bytes, 0)).toBe(bytes.length)
  return bytes
}

function decode(bytes: Uint8Array): string | undefined {
  const into = Buffer.alloc(decodeRoom(bytes.length))
  const length = huffmanDecode(bytes, 0, bytes.length, into)
  return length === -1 ? undefined : into.latin1Slice(0, length)
}

/** The bits of `text`, then `padding`, as octets. */
function bits(text: string, padding: string): Buffer {
  const all = Array.from(text, (char) => codeText(char.charCodeAt(0))).join('') + padding
  expect(all.length % 8).toBe(0)
  return Buffer.from(all.match(/.{8}/g)?.map((octet) => Number.parseInt(octet, 2)) ?? [])
}

function codeText(symbol: number): string {
  return (codes[symbol] as number).toString(2).padStart(codeLengths[symbol] as number, '0')
}

test('the lengths make a complete code, and EOS is thirty ones', () => {
  expect(codeLengths.reduce((sum, length) => sum + 2 ** -length, 0)).toBe(1)
  expect(codeText(endOfString)).toBe('1'.repeat(30))
})

test.each([
  ['www.example.com', 'f1e3c2e5f23a6ba0ab90f4ff'],
  ['no-cache', 'a8eb10649cbf'],
  ['Mon, 21 Oct 2013 20:13:21 GMT', 'd07abe941054d444a8200595040b8166e082a62d1bff'],
  [
    'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
    '94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
  ],
])('RFC 7541 Appendix C codes %j so', (text, hex) => {
  expect(encode(text).toString('hex')).toBe(hex)
  expect(decode(Buffer.from(hex, 'hex'))).toBe(text)
})

test('every octet comes back, behind every other one', () => {
  const all = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join('')
  for (const octet of all) {
    const text = Array.from(all, (other) => other + octet).join('')
    expect(decode(encode(text))).toBe(text)
  }
})

test('any text comes back', () => {
  const text = fc.string({
    unit: fc.nat({ max: 255 }).map((code) => String.fromCharCode(code)),
    maxLength: 80,
  })
  fc.assert(fc.property(text, (given) => decode(encode(given)) === given))
})

describe('refused is', () => {
  test('padding of eight ones', () => {
    expect(decode(bits('0a', '111111'))).toBe('0a')
    expect(decode(bits('0a', `111111${'1'.repeat(8)}`))).toBeUndefined()
  })

  test('padding with a zero in it', () => {
    expect(decode(bits('0a', '111110'))).toBeUndefined()
    expect(decode(bits('0', '000'))).toBeUndefined()
  })

  test('EOS, at the end and within', () => {
    expect(decode(bits('&', `${codeText(endOfString)}11`))).toBeUndefined()
    expect(decode(bits('&', `${codeText(endOfString)}${codeText(0x26)}11`))).toBeUndefined()
  })

  test('a code that is cut off', () => {
    const coded = bits('\0', '111')
    expect(decode(coded)).toBe('\0')
    expect(decode(coded.subarray(0, 1))).toBeUndefined()
  })
})

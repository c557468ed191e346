/** Writes what HPACK blocks are made of: integers and strings (RFC 7541 5). */
import type { Buffer } from 'node:buffer'
import { huffmanLength, huffmanWrite } from './huffman-encode.ts'

const huffmanFlag = 0x80
/** Up to here a loop is faster than the call that copies. */
const shortText = 24

/** Writes `value` behind the bits of `pattern`, which leave `prefixBits`; gives where it ends. */
export function writeInteger(
  into: Uint8Array,
  at: number,
  pattern: number,
  prefixBits: number,
  value: number,
): number {
  const mask = (1 << prefixBits) - 1
  if (value < mask) {
    into[at] = pattern | value
    return at + 1
  }
  into[at] = pattern | mask
  let position = at + 1
  let rest = value - mask
  while (rest >= 0x80) {
    into[position++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  into[position] = rest
  return position + 1
}

/** Writes latin1 text as it is. */
export function writePlain(into: Buffer, at: number, text: string): number {
  const { length } = text
  const from = writeInteger(into, at, 0, 7, length)
  if (length > shortText) into.latin1Write(text, from)
  else for (let i = 0; i < length; i++) into[from + i] = text.charCodeAt(i)
  return from + length
}

/** Writes latin1 text in the shorter of both forms: for what is written once and referred to often. */
export function writeShortest(into: Buffer, at: number, text: string): number {
  const length = huffmanLength(text)
  if (length >= text.length) return writePlain(into, at, text)
  return huffmanWrite(text, into, writeInteger(into, at, huffmanFlag, 7, length))
}

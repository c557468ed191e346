/** Huffman coding of latin1 text. */
import { codeLengths, codes } from './huffman-code.ts'

/** Octets that `text` takes when it is coded. */
export function huffmanLength(text: string): number {
  let bits = 0
  for (let i = 0; i < text.length; i++) bits += codeLengths[text.charCodeAt(i)] as number
  return (bits + 7) >> 3
}

/** Writes `text` coded into `into` from `at` on; gives where it ends. */
export function huffmanWrite(text: string, into: Uint8Array, at: number): number {
  let position = at
  let octet = 0
  let free = 8
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i)
    const code = codes[symbol] as number
    let bits = codeLengths[symbol] as number
    while (bits >= free) {
      bits -= free
      into[position++] = octet | ((code >>> bits) & ((1 << free) - 1))
      octet = 0
      free = 8
    }
    octet |= (code & ((1 << bits) - 1)) << (free - bits)
    free -= bits
  }
  // What is left of the last octet is the beginning of EOS.
  if (free < 8) into[position++] = octet | ((1 << free) - 1)
  return position
}

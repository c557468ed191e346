/**
 * Huffman decoding, four bits a step. A state is an inner node of the code's tree; the shortest code has five bits, so
 * that a step gives one octet at most.
 */
import { codeLengths, codes, endOfString } from './huffman-code.ts'

const states = 256
/** Where EOS leads, which must not stand in a string (RFC 7541 5.2); it is never left. */
const failed = states
/** A step: the next state in 9 bits, whether it gives an octet, the octet. */
const givesOctet = 1 << 9
const octetShift = 10
const mostPaddingBits = 7

/** The tree: two children for each node, a symbol as -1 - symbol. */
const children: Int16Array = (() => {
  const tree = new Int16Array(2 * states)
  let nodes = 1
  for (let symbol = 0; symbol < codes.length; symbol++) {
    const code = codes[symbol] as number
    let node = 0
    for (let bit = (codeLengths[symbol] as number) - 1; bit > 0; bit--) {
      const at = 2 * node + ((code >>> bit) & 1)
      if (tree[at] === 0) tree[at] = nodes++
      node = tree[at] as number
    }
    tree[2 * node + (code & 1)] = -1 - symbol
  }
  return tree
})()

function step(state: number, nibble: number): number {
  let node = state
  let given = 0
  for (let bit = 3; bit >= 0; bit--) {
    const next = children[2 * node + ((nibble >>> bit) & 1)] as number
    if (next === -1 - endOfString) return failed
    if (next < 0) given = givesOctet | ((-1 - next) << octetShift)
    node = next < 0 ? 0 : next
  }
  return node | given
}

const steps = Int32Array.from({ length: (states + 1) * 16 }, (_, i) => {
  const state = i >> 4
  return state === failed ? failed : step(state, i & 15)
})

/** Where a string may end: on a whole octet, or within seven bits that begin EOS, which are all ones. */
const accepting: Uint8Array = (() => {
  const accepts = new Uint8Array(states + 1)
  let node = 0
  for (let bits = 0; bits <= mostPaddingBits; bits++) {
    accepts[node] = 1
    node = children[2 * node + 1] as number
  }
  return accepts
})()

/** The most octets that `length` Huffman-coded ones may hold. */
export function mostDecoded(length: number): number {
  return ((length * 8) / 5) | 0
}

/**
 * Decodes bytes[from, to) to the beginning of `into`, which has room for `mostDecoded(to - from)`. Gives the number of
 * octets, or -1 where the code is broken: EOS in it, too much padding, or padding that is not ones.
 */
export function huffmanDecode(bytes: Uint8Array, from: number, to: number, into: Uint8Array): number {
  let state = 0
  let length = 0
  for (let i = from; i < to; i++) {
    const byte = bytes[i] as number
    const high = steps[((state & 0x1ff) << 4) | (byte >> 4)] as number
    if ((high & givesOctet) !== 0) into[length++] = high >> octetShift
    state = steps[((high & 0x1ff) << 4) | (byte & 15)] as number
    if ((state & givesOctet) !== 0) into[length++] = state >> octetShift
  }
  return accepting[state & 0x1ff] === 1 ? length : -1
}

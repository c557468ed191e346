/**
 * Huffman decoding, an octet a step. A state is an inner node of the code's tree; the shortest code has five bits, so
 * that a step gives two octets at most.
 */
import { codeLengths, codes, endOfString } from './huffman-code.ts'

const states = 256
/** Where EOS leads, which must not stand in a string (RFC 7541 5.2); it is never left. */
const failed = states
/** A step: the next state in 9 bits, the octets that it gives, how many they are. */
const stateMask = 0x1ff
const firstShift = 9
const secondShift = 17
const countShift = 25
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

function step(state: number, octet: number): number {
  let node = state
  let given = 0
  let count = 0
  for (let bit = 7; bit >= 0; bit--) {
    const next = children[2 * node + ((octet >>> bit) & 1)] as number
    if (next === -1 - endOfString) return failed
    if (next < 0) given |= (-1 - next) << (count++ === 0 ? firstShift : secondShift)
    node = next < 0 ? 0 : next
  }
  return node | given | (count << countShift)
}

/** By state and octet. */
const steps: Int32Array = (() => {
  const all = new Int32Array((states + 1) * 256).fill(failed)
  for (let i = 0; i < states * 256; i++) all[i] = step(i >> 8, i & 0xff)
  return all
})()

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

/** The room that `huffmanDecode` needs for `length` coded octets. */
export function decodeRoom(length: number): number {
  return ((length * 8) / 5 + 2) | 0
}

/**
 * Decodes bytes[from, to) to the beginning of `into`, which has `decodeRoom(to - from)`. Gives the number of octets, or
 * -1 where the code is broken: EOS in it, too much padding, or padding that is not ones.
 */
export function huffmanDecode(bytes: Uint8Array, from: number, to: number, into: Uint8Array): number {
  let state = 0
  let length = 0
  for (let i = from; i < to; i++) {
    state = steps[((state & stateMask) << 8) | (bytes[i] as number)] as number
    // Both are written, and counted only where they are given.
    into[length] = state >> firstShift
    into[length + 1] = state >> secondShift
    length += state >> countShift
  }
  return accepting[state & stateMask] === 1 ? length : -1
}

/** Names that stand in blocks as literals again and again: found by their octets, so that they are neither decoded nor checked twice. */
import type { Buffer } from 'node:buffer'
import type { FieldName } from './header-field.ts'

type LiteralName = { readonly bytes: Uint8Array; readonly coded: boolean; readonly name: FieldName }

/** Of all connections: a name is no secret, and what a peer makes up costs others no more than the time to read theirs. */
const slotCount = 256
const mostBytes = 40
const slots: (LiteralName | undefined)[] = Array.from({ length: slotCount }, () => undefined)

function slotOf(bytes: Buffer, from: number, to: number): number {
  let hash = to - from
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x0100_0193)
  return (hash ^ (hash >>> 15)) & (slotCount - 1)
}

/** The name whose octets (Huffman-coded, or not) are bytes[from, to), if they were read before. */
export function knownName(bytes: Buffer, from: number, to: number, coded: boolean): FieldName | undefined {
  if (to - from > mostBytes) return undefined
  const known = slots[slotOf(bytes, from, to)]
  if (known === undefined || known.coded !== coded || known.bytes.length !== to - from) return undefined
  for (let i = 0; i < known.bytes.length; i++) if (known.bytes[i] !== bytes[from + i]) return undefined
  return known.name
}

export function rememberName(bytes: Buffer, from: number, to: number, coded: boolean, name: FieldName): void {
  if (to - from > mostBytes) return
  slots[slotOf(bytes, from, to)] = { bytes: Uint8Array.from(bytes.subarray(from, to)), coded, name }
}

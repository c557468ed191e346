/** Strings to keep: a part of a longer one, as V8 makes it, keeps all of that in memory. */
import { Buffer } from 'node:buffer'

/** A copy of latin1 text. */
export function ownValue(text: string): string {
  return Buffer.from(text, 'latin1').latin1Slice(0, text.length)
}

/** The one that V8 uses for property names: two of these are compared by their address. */
export function ownName(text: string): string {
  return Object.keys({ [text]: undefined })[0] as string
}

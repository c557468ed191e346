/** The grammar of chunk extensions (RFC 9112 7.1.1), without the white space that it calls bad. Their content is dropped. */
import { tokenTable, valueTable } from './characters.ts'

/** Where in `;name=value` or `;name="value"` the next byte stands; `done` was its CR. */
export type ExtensionState =
  | 'name'
  | 'nameEnd'
  | 'value'
  | 'valueEnd'
  | 'quoted'
  | 'escaped'
  | 'quotedEnd'
  | 'done'

const carriageReturn = 0x0d
const semicolon = 0x3b
const equals = 0x3d
const quote = 0x22
const backslash = 0x5c

function afterPart(byte: number): ExtensionState | undefined {
  if (byte === carriageReturn) return 'done'
  return byte === semicolon ? 'name' : undefined
}

/** The state after `byte`, or undefined when it may not stand there. The state after the first semicolon is `name`. */
export function nextExtensionState(state: ExtensionState, byte: number): ExtensionState | undefined {
  const isToken = tokenTable[byte] === 1
  switch (state) {
    case 'name':
      return isToken ? 'nameEnd' : undefined
    case 'nameEnd':
      if (isToken) return 'nameEnd'
      return byte === equals ? 'value' : afterPart(byte)
    case 'value':
      if (byte === quote) return 'quoted'
      return isToken ? 'valueEnd' : undefined
    case 'valueEnd':
      return isToken ? 'valueEnd' : afterPart(byte)
    case 'quoted':
      if (byte === quote) return 'quotedEnd'
      if (byte === backslash) return 'escaped'
      return valueTable[byte] === 1 ? 'quoted' : undefined
    case 'escaped':
      return valueTable[byte] === 1 ? 'quoted' : undefined
    case 'quotedEnd':
      return afterPart(byte)
    case 'done':
      return undefined
  }
}

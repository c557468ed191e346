/** Encodes and decodes every message of the subset, by its full name. */
import protobuf from 'protobufjs'
import { WeftError } from '../../core/errors.ts'
import bundle from './bundle.json' with { type: 'json' }
import type { Messages } from './messages.ts'

export type { Messages } from './messages.ts'
export type MessageName = keyof Messages
/** A packed message: `typeUrl` is `type.googleapis.com/` and the full name. */
export type Any = Messages['google.protobuf.Any']

const typeUrlPrefix = 'type.googleapis.com/'
const root = protobuf.Root.fromJSON(bundle as protobuf.INamespace)
const types = new Map<string, protobuf.Type>()

const plain: protobuf.IConversionOptions = { enums: String, longs: Number, bytes: Buffer }

/** The reflected type of `name`. Throws WeftError RESOURCE_INVALID for a name that is not in the subset. */
export function messageType(name: string): protobuf.Type {
  const known = types.get(name)
  if (known !== undefined) return known
  const found = root.lookup(name, [protobuf.Type])
  if (!(found instanceof protobuf.Type) || found.fullName !== `.${name}`) {
    throw new WeftError('RESOURCE_INVALID', `message type '${name}' is not known`)
  }
  types.set(name, found)
  return found
}

/** Whether `name` is a message of the subset. */
export function isMessageName(name: string): name is MessageName {
  try {
    messageType(name)
    return true
  } catch {
    // The only thing that messageType throws.
    return false
  }
}

/** `value` in protobuf's wire format; the same value always gives the same bytes. Throws WeftError RESOURCE_INVALID. */
export function encode<N extends MessageName>(name: N, value: Messages[N]): Buffer {
  const type = messageType(name)
  try {
    const bytes = type.encode(type.fromObject(value as { [key: string]: unknown })).finish()
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  } catch (error) {
    throw new WeftError(
      'RESOURCE_INVALID',
      `${name}: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    )
  }
}

/**
 * The plain object in `bytes`: camelCase, enums as their names, bytes as Buffer, what is not set absent. Fields outside
 * the subset are skipped. Throws WeftError RESOURCE_INVALID on bytes that are not this message.
 */
export function decode<N extends MessageName>(name: N, bytes: Uint8Array): Messages[N] {
  const type = messageType(name)
  try {
    return type.toObject(type.decode(bytes), plain) as Messages[N]
  } catch (error) {
    throw new WeftError(
      'RESOURCE_INVALID',
      `${name}: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    )
  }
}

/** Packs `value` into an Any. */
export function pack<N extends MessageName>(name: N, value: Messages[N]): Any {
  return { typeUrl: typeUrlPrefix + name, value: encode(name, value) }
}

/** The name in an Any's type URL: what follows the last slash. */
function packedName(any: Any): string {
  const url = any.typeUrl ?? ''
  return url.slice(url.lastIndexOf('/') + 1)
}

/** The message in `any` if it is a `name`, undefined if it is something else. Throws as `decode` does. */
export function unpackAs<N extends MessageName>(name: N, any: Any | undefined): Messages[N] | undefined {
  if (any === undefined || packedName(any) !== name) return undefined
  return decode(name, any.value ?? new Uint8Array())
}

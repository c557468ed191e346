/**
 * Reads messages out of the proto3 JSON mapping, as Envoy's files are written: field names in snake_case or camelCase,
 * durations as `1.5s`, wrappers as their bare value, an Any as an object with `@type`.
 * Source: protobuf.dev, ProtoJSON format.
 */
import { Buffer } from 'node:buffer'
import protobuf from 'protobufjs'
import { encode, isMessageName, type Messages, type MessageName, messageType } from './codec.ts'
import { type Json, toStruct } from './struct.ts'

/** Told of everything that does not fit, by its path in the text (`static_resources.clusters[0].type`). */
export type OnProblem = (path: string, problem: string) => void

type JsonObject = { readonly [key: string]: Json }

const wrappers = new Set(
  ['Bool', 'UInt32', 'UInt64', 'Int32', 'Int64', 'Double', 'Float', 'String', 'Bytes'].map(
    (kind) => `google.protobuf.${kind}Value`,
  ),
)

function isObject(json: Json | undefined): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

function join(path: string, field: string): string {
  return path === '' ? field : `${path}.${field}`
}

/**
 * The message `name` in `json`, in the codec's plain shape. Every problem goes to `onProblem`, unknown fields included;
 * what is left then is not to be used.
 */
export function messageFromJson<N extends MessageName>(
  name: N,
  json: unknown,
  onProblem: OnProblem,
): Messages[N] {
  return new Reader(onProblem).message(name, json as Json, '') as Messages[N]
}

class Reader {
  readonly #onProblem: OnProblem
  #count = 0

  constructor(onProblem: OnProblem) {
    this.#onProblem = onProblem
  }

  message(name: string, json: Json, path: string): unknown {
    const special = this.#wellKnown(name, json, path)
    if (special !== undefined) return special.value
    if (!isObject(json)) {
      this.#problem(path, `must be an object (${name})`)
      return {}
    }
    return this.#fields(messageType(name), json, path)
  }

  /** Messages whose JSON is not their fields. */
  #wellKnown(name: string, json: Json, path: string): { readonly value: unknown } | undefined {
    if (name === 'google.protobuf.Duration') return { value: this.#duration(json, path) }
    if (name === 'google.protobuf.Any') return { value: this.#any(json, path) }
    if (name === 'google.protobuf.Struct') {
      if (!isObject(json)) this.#problem(path, 'must be an object')
      return { value: toStruct(isObject(json) ? json : {}) }
    }
    if (!wrappers.has(name)) return undefined
    const value = messageType(name).fields['value'] as protobuf.Field
    return { value: { value: this.#scalar(value.type, json, path) } }
  }

  #fields(type: protobuf.Type, json: JsonObject, path: string): object {
    const message: Record<string, unknown> = {}
    const chosen = new Map<string, string>()
    for (const [key, value] of Object.entries(json)) {
      const at = join(path, key)
      const field = fieldOf(type, key)
      if (field === undefined) {
        this.#problem(at, 'is not a field that weft knows')
        continue
      }
      if (value === null) continue
      const group = field.partOf?.name
      const before = group === undefined ? undefined : chosen.get(group)
      if (before !== undefined) this.#problem(at, `excludes ${before}, which is set too`)
      if (group !== undefined) chosen.set(group, key)
      if (message[field.name] !== undefined) this.#problem(at, 'is set twice, in two spellings')
      message[field.name] = this.#field(field, value, at)
    }
    return message
  }

  #field(field: protobuf.Field, json: Json, path: string): unknown {
    if (field instanceof protobuf.MapField) {
      if (!isObject(json)) {
        this.#problem(path, 'must be an object')
        return {}
      }
      const entries = Object.entries(json)
      return Object.fromEntries(
        entries.map(([key, value]) => [key, this.#value(field, value, join(path, key))]),
      )
    }
    if (!field.repeated) return this.#value(field, json, path)
    if (!Array.isArray(json)) {
      this.#problem(path, 'must be a list')
      return []
    }
    return json.map((entry: Json, i) => this.#value(field, entry, `${path}[${i}]`))
  }

  #value(field: protobuf.Field, json: Json, path: string): unknown {
    field.resolve()
    const { resolvedType } = field
    if (resolvedType instanceof protobuf.Enum) return this.#enum(resolvedType, json, path)
    if (resolvedType instanceof protobuf.Type) return this.message(resolvedType.fullName.slice(1), json, path)
    return this.#scalar(field.type, json, path)
  }

  #enum(type: protobuf.Enum, json: Json, path: string): string | undefined {
    const name = typeof json === 'number' ? type.valuesById[json] : json
    if (typeof name === 'string' && name in type.values) return name
    this.#problem(path, `must be one of ${Object.keys(type.values).join(', ')}`)
    return undefined
  }

  #scalar(type: string, json: Json, path: string): unknown {
    if (type === 'string' || type === 'bytes') {
      if (typeof json === 'string') return type === 'bytes' ? Buffer.from(json, 'base64') : json
      this.#problem(path, 'must be a string')
      return ''
    }
    if (type === 'bool') {
      if (typeof json !== 'boolean') this.#problem(path, 'must be true or false')
      return json
    }
    const number = typeof json === 'string' && /^-?\d+(\.\d+)?$/.test(json) ? Number(json) : json
    if (typeof number !== 'number') this.#problem(path, 'must be a number')
    else if (type !== 'double' && type !== 'float' && !isWithin(type, number))
      this.#problem(path, `${number} is no ${type}`)
    return number
  }

  #problem(path: string, problem: string): void {
    this.#count++
    this.#onProblem(path, problem)
  }

  #duration(json: Json, path: string): object {
    const match = typeof json === 'string' ? /^(-?\d{1,12})(?:\.(\d{1,9}))?s$/.exec(json) : null
    if (match === null) {
      this.#problem(path, 'must be a duration such as 1.5s')
      return {}
    }
    return { seconds: Number(match[1]), nanos: Number((match[2] ?? '').padEnd(9, '0')) }
  }

  #any(json: Json, path: string): object {
    if (!isObject(json) || typeof json['@type'] !== 'string') {
      this.#problem(path, 'must be an object with @type')
      return {}
    }
    const { '@type': typeUrl, ...rest } = json
    const name = (typeUrl as string).slice((typeUrl as string).lastIndexOf('/') + 1)
    if (!isMessageName(name)) {
      this.#problem(join(path, '@type'), `${name} is not a type that weft knows`)
      return {}
    }
    const before = this.#count
    const value = this.message(name, rest, path)
    // What has problems cannot be encoded; they are reported already.
    return this.#count > before ? {} : { typeUrl, value: encode(name, value as Messages[typeof name]) }
  }
}

const fieldsByName = new WeakMap<protobuf.Type, Map<string, protobuf.Field>>()

/** Both spellings of every field. */
function namesOf(type: protobuf.Type): Map<string, protobuf.Field> {
  const names = new Map<string, protobuf.Field>()
  for (const field of type.fieldsArray) {
    const snake = (field as protobuf.Field & { readonly protoName?: string }).protoName ?? field.name
    names.set(snake, field)
    names.set(
      snake.replaceAll(/_([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase()),
      field,
    )
  }
  return names
}

function fieldOf(type: protobuf.Type, key: string): protobuf.Field | undefined {
  let names = fieldsByName.get(type)
  if (names === undefined) {
    names = namesOf(type)
    fieldsByName.set(type, names)
  }
  return names.get(key)
}

function isWithin(type: string, value: number): boolean {
  const unsigned = type.startsWith('u') || type.startsWith('fixed')
  const bits = type.endsWith('64') ? 53 : unsigned ? 32 : 31
  return Number.isInteger(value) && value < 2 ** bits && value >= (unsigned ? 0 : -(2 ** bits))
}

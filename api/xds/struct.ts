/** google.protobuf.Struct from and to plain JSON values. */
import type { Messages } from './messages.ts'

export type Struct = Messages['google.protobuf.Struct']
type Value = Messages['google.protobuf.Value']
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

function toValue(json: Json): Value {
  if (json === null) return { nullValue: 'NULL_VALUE' }
  if (typeof json === 'boolean') return { boolValue: json }
  if (typeof json === 'number') return { numberValue: json }
  if (typeof json === 'string') return { stringValue: json }
  if (Array.isArray(json)) return { listValue: { values: json.map((entry: Json) => toValue(entry)) } }
  return { structValue: toStruct(json as { readonly [key: string]: Json }) }
}

/** Keys are sorted, so that equal objects are equal bytes. */
export function toStruct(object: { readonly [key: string]: Json }): Struct {
  const fields: { [key: string]: Value } = {}
  for (const key of Object.keys(object).toSorted()) fields[key] = toValue(object[key] as Json)
  return { fields }
}

function fromValue(value: Value): Json {
  if (value.stringValue !== undefined) return value.stringValue
  if (value.numberValue !== undefined) return value.numberValue
  if (value.boolValue !== undefined) return value.boolValue
  if (value.structValue !== undefined) return fromStruct(value.structValue)
  if (value.listValue !== undefined) return (value.listValue.values ?? []).map(fromValue)
  return null
}

/** The plain object in `struct`; an absent one is empty. */
export function fromStruct(struct: Struct | undefined): { readonly [key: string]: Json } {
  return Object.fromEntries(
    Object.entries(struct?.fields ?? {}).map(([key, value]) => [key, fromValue(value)]),
  )
}

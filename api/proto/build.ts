/** Makes api/xds/bundle.json and api/xds/messages.ts from the .proto files: `npm run build:protos`. */
import { readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import protobuf from 'protobufjs'

const protoFolder = import.meta.dirname
const xdsFolder = path.join(protoFolder, '../xds')

function protoFiles(): string[] {
  return readdirSync(protoFolder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.proto'))
    .toSorted()
}

function loadRoot(): protobuf.Root {
  const root = new protobuf.Root()
  root.resolvePath = (_origin, target) =>
    target.startsWith('google/protobuf/') ? target : path.join(protoFolder, target)
  root.loadSync(protoFiles())
  // protobufjs brings its own Any, the one message whose field is not in camelCase there.
  const any = root.lookupType('google.protobuf.Any')
  any.remove(any.fields.type_url as protobuf.Field)
  any.add(new protobuf.Field('typeUrl', 1, 'string'))
  root.resolveAll()
  return root
}

const numbers = new Set([
  'double',
  'float',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'sint32',
  'sint64',
  'fixed32',
  'fixed64',
])

function fieldType(field: protobuf.Field): string {
  field.resolve()
  const { resolvedType, type } = field
  if (resolvedType instanceof protobuf.Enum) {
    return Object.keys(resolvedType.values)
      .map((name) => `'${name}'`)
      .join(' | ')
  }
  if (resolvedType instanceof protobuf.Type) return `Messages['${resolvedType.fullName.slice(1)}']`
  if (numbers.has(type)) return 'number'
  if (type === 'bytes') return 'Uint8Array'
  return type === 'bool' ? 'boolean' : 'string'
}

function fieldLine(field: protobuf.Field): string {
  const base = fieldType(field)
  if (field instanceof protobuf.MapField)
    return `    readonly ${field.name}?: { readonly [key: string]: ${base} } | undefined`
  const type = field.repeated ? `readonly (${base})[]` : base
  return `    readonly ${field.name}?: ${type} | undefined`
}

function messageTypes(namespace: protobuf.NamespaceBase): protobuf.Type[] {
  return namespace.nestedArray.flatMap((entry) => {
    if (entry instanceof protobuf.Type) return [entry, ...messageTypes(entry)]
    return entry instanceof protobuf.Namespace ? messageTypes(entry) : []
  })
}

function typesText(root: protobuf.Root): string {
  const lines = messageTypes(root).map((type) => {
    const name = `'${type.fullName.slice(1)}'`
    if (type.fieldsArray.length === 0) return `  ${name}: { readonly [key: string]: never }`
    return [`  ${name}: {`, ...type.fieldsArray.map(fieldLine), '  }'].join('\n')
  })
  return `/** Made by api/proto/build.ts from the .proto files; do not edit. */\n\n/** Every message by its full name. */\nexport interface Messages {\n${lines.join('\n')}\n}\n`
}

/** The two generated files as text, by name: written here, compared by a test. */
export function generate(): { readonly 'bundle.json': string; readonly 'messages.ts': string } {
  const root = loadRoot()
  return { 'bundle.json': `${JSON.stringify(root.toJSON())}\n`, 'messages.ts': typesText(root) }
}

if (import.meta.main) {
  for (const [name, text] of Object.entries(generate())) writeFileSync(path.join(xdsFolder, name), text)
}

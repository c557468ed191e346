/** A stream of YAML documents whose text stays as it is, byte for byte, but for what a change touches. Pure. */
import { Document, isAlias, isMap, isSeq, parseDocument, visit } from 'yaml'
import { reasonOf } from '../core/errors.ts'
import { jsonPatch, type PatchOperation } from '../injector/patch.ts'

/** One document with its own `---`, and all text up to the next. */
export type YamlPart = { readonly text: string; readonly firstLine: number }

/** Kubernetes reads YAML 1.1 (0644 is octal, `yes` is true), but knows no dates. */
const parseOptions = {
  version: '1.1',
  customTags: (tags: readonly unknown[]) =>
    (tags as { tag?: string }[]).filter((entry) => entry.tag !== 'tag:yaml.org,2002:timestamp'),
} as const

/** Cuts at the lines that begin a document, as kubectl does. */
export function splitYaml(text: string): readonly YamlPart[] {
  const parts: YamlPart[] = []
  let from = 0
  let firstLine = 1
  for (const match of text.matchAll(/^---(?=\s|$)/gm)) {
    if (match.index === from) continue
    const part = text.slice(from, match.index)
    parts.push({ text: part, firstLine })
    firstLine += part.split('\n').length - 1
    from = match.index
  }
  if (from < text.length) parts.push({ text: text.slice(from), firstLine })
  return parts
}

export type ParsedPart =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: string; readonly line: number }

function open(text: string): Document {
  return parseDocument(text, parseOptions as never) as unknown as Document
}

/** The value of a document, or where it is no YAML. */
export function parsePart({ text, firstLine }: YamlPart): ParsedPart {
  const document = open(text)
  const [error] = document.errors
  if (error !== undefined) {
    const line = firstLine + (error.linePos?.[0].line ?? 1) - 1
    return { ok: false, problem: error.message.split('\n')[0] as string, line }
  }
  try {
    return { ok: true, value: document.toJS({ maxAliasCount: 100 }) as unknown }
  } catch (aliases) {
    return { ok: false, problem: reasonOf(aliases), line: firstLine }
  }
}

function steps(path: string): readonly (string | number)[] {
  return path
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function apply(document: Document, operation: PatchOperation): void {
  const path = steps(operation.path)
  if (operation.op === 'remove') {
    document.deleteIn(path)
    return
  }
  const node = document.createNode(operation.value, { aliasDuplicateObjects: false })
  const parent = document.getIn(path.slice(0, -1), true)
  const last = path.at(-1)
  if (isSeq(parent) && operation.op === 'add') parent.items.splice(Number(last), 0, node)
  else if (isSeq(parent)) parent.items[Number(last)] = node
  else if (isMap(parent)) parent.set(last, node)
  else throw new Error(`nothing to change at ${operation.path}`)
}

function hasAliases(document: Document): boolean {
  let found = false
  visit(document, (_key, node) => {
    if (!isAlias(node)) return undefined
    found = true
    return visit.BREAK
  })
  return found
}

/** Whether lists stand under their key without being indented, as `kubectl get -o yaml` writes them. */
function listsAreFlush(text: string): boolean {
  return /^( *)[^\s#-][^\n]*:[ \t]*\n\1- /m.test(text)
}

function isJson(text: string): boolean {
  if (!text.trimStart().startsWith('{')) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    // YAML in its flow form.
    return false
  }
}

/** The text of the part with `before`, its value, made `after`; comments and forms of what stays are kept. */
export function editPart({ text }: YamlPart, before: unknown, after: unknown): string {
  if (isJson(text)) return `${JSON.stringify(after, undefined, 4)}\n`
  const document = open(text)
  // A change in one place would show in all that the alias stands for, so then the whole is written anew.
  const edited = hasAliases(document) ? new Document(after) : document
  if (edited === document) for (const operation of jsonPatch(before, after)) apply(document, operation)
  const written = edited.toString({ lineWidth: 0, indentSeq: !listsAreFlush(text) })
  return edited !== document && text.startsWith('---') ? `---\n${written}` : written
}

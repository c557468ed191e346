/** One file of YAML (several documents, or JSON) -> objects, or everything that is wrong with it, by line. */
import { type Alias, type Document, isSeq, LineCounter, parseAllDocuments, visit } from 'yaml'
import { reasonOf } from '../../../core/errors.ts'
import { convertObject } from '../../kubernetes-objects/convert.ts'
import { type FieldProblem, formatPath, type Path } from '../../kubernetes-objects/field-reader.ts'
import type { Change } from '../../model/objects.ts'

export type FileProblem = { readonly code: 'YAML_INVALID' | 'RESOURCE_INVALID'; readonly text: string }
export type ParsedObject = { readonly identity: string; readonly change: Change | undefined }
export type ParsedFile = {
  readonly objects: readonly ParsedObject[]
  readonly problems: readonly FileProblem[]
  readonly ignoredKinds: readonly string[]
}

type Collector = { objects: ParsedObject[]; problems: FileProblem[]; ignoredKinds: string[] }

/** The line of a field, or of its nearest parent that is there. */
function lineOf(document: Document, path: Path, lines: LineCounter): number {
  for (let length = path.length; length >= 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as
      | { range?: readonly [number, number, number] }
      | undefined
    if (node?.range != null) return lines.linePos(node.range[0]).line
  }
  return 1
}

function takeObject(
  file: string,
  document: Document,
  prefix: Path,
  value: unknown,
  lines: LineCounter,
  into: Collector,
): void {
  const converted = convertObject(value)
  switch (converted.outcome) {
    case 'converted':
      into.objects.push({ identity: converted.identity, change: converted.change })
      return
    case 'ignored':
      into.ignoredKinds.push(converted.kind)
      return
    case 'refused':
      for (const problem of converted.problems) {
        into.problems.push({
          code: 'RESOURCE_INVALID',
          text: describeProblem(file, document, prefix, converted.identity, problem, lines),
        })
      }
  }
}

function describeProblem(
  file: string,
  document: Document,
  prefix: Path,
  identity: string,
  { path, problem }: FieldProblem,
  lines: LineCounter,
): string {
  return `${file}:${lineOf(document, [...prefix, ...path], lines)} ${identity} ${formatPath(path)}: ${problem}`
}

/** The alias that leads to nothing; the whole document when all lead somewhere, and are too many. */
function aliasAtFault(document: Document): Alias | Document {
  let fault: Alias | Document = document
  visit(document, {
    Alias: (_key, alias) => {
      if (alias.resolve(document) !== undefined) return undefined
      fault = alias
      return visit.BREAK
    },
  })
  return fault
}

/** The document's value; undefined when its aliases stand for nothing, or for too much. */
function valueOf(file: string, document: Document, lines: LineCounter, into: Collector): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown
  } catch (error) {
    const { line, col } = lines.linePos(aliasAtFault(document).range?.[0] ?? 0)
    into.problems.push({ code: 'YAML_INVALID', text: `${file}:${line}:${col} ${reasonOf(error)}` })
    return undefined
  }
}

/** Parses `text`; `file` is how the file is called in messages. */
export function parseFile(file: string, text: string): ParsedFile {
  const lines = new LineCounter()
  const into: Collector = { objects: [], problems: [], ignoredKinds: [] }
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false })
  const documents = Array.isArray(parsed) ? (parsed as Document[]) : []
  for (const document of documents) {
    for (const error of document.errors) {
      const { line, col } = lines.linePos(error.pos[0])
      into.problems.push({ code: 'YAML_INVALID', text: `${file}:${line}:${col} ${error.message}` })
    }
    if (document.errors.length > 0) continue
    const value = valueOf(file, document, lines, into)
    if (value === null || value === undefined) continue
    const items = document.getIn(['items'], true)
    const isList = typeof value === 'object' && (value as { kind?: unknown }).kind === 'List' && isSeq(items)
    if (isList) {
      ;(value as { items: unknown[] }).items.forEach((item, i) =>
        takeObject(file, document, ['items', i], item, lines, into),
      )
    } else {
      takeObject(file, document, [], value, lines, into)
    }
  }
  return into
}

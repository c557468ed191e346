/** Error codes that something says -> docs/reference/error-codes.md. */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { type ErrorEntry, errorCodes } from '../../core/error-codes.ts'
import { page, table } from './markdown.ts'

const root = path.join(import.meta.dirname, '../..')
const folders = ['api', 'core', 'proxy', 'control-plane', 'injector', 'cli']
const tableFile = path.join('core', 'error-codes.ts')

/** The text of everything that runs, but for the table of the codes itself. */
function sources(): string {
  const files = folders.flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
      path.join(folder, name),
    ),
  )
  return files
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && file !== tableFile)
    .map((file) => readFileSync(path.join(root, file), 'utf8'))
    .join('\n')
}

/** A code that nothing names cannot be met. */
function usedCodes(): readonly (readonly [string, ErrorEntry])[] {
  const text = sources()
  return Object.entries<ErrorEntry>(errorCodes).filter(([code]) => new RegExp(`\\b${code}\\b`).test(text))
}

export function errorCodesPage(): string {
  const used = usedCodes()
  const ofRequests = used.flatMap(([code, { summary, hint, http }]) =>
    http === undefined ? [] : [[`\`${code}\``, String(http.status), `\`${http.flag}\``, summary, hint]],
  )
  const others = used.flatMap(([code, { summary, hint, http, exitStatus }]) =>
    http === undefined ? [[`\`${code}\``, String(exitStatus ?? 1), summary, hint]] : [],
  )
  return page(
    'Error codes',
    'Codes never change their meaning. A process that cannot start prints one line, `weft: CODE: sentence (what to do)`, and exits with the status of the code; a running one logs the code in the field `code`, the cause in `reason`.',
    `## Of processes\n\n${table(['code', 'exit status', 'meaning', 'what to do'], others)}`,
    '## Of requests\n\nA reply that the sidecar makes itself has the flag in the header `weft-error`, and the code at the beginning of its body; the access log and `/metrics` show the same flag. A TLS failure towards an endpoint shows the code of its reason instead, one of those above.',
    table(['code', 'status', 'flag', 'meaning', 'what to do'], ofRequests),
  )
}

/** A bootstrap file, YAML or JSON, as the message that it describes. */
import { readFileSync } from 'node:fs'
import { LineCounter, parseDocument } from 'yaml'
import { messageFromJson } from '../../api/xds/from-json.ts'
import type { Bootstrap } from '../../api/xds/types.ts'
import { reasonOf, WeftError } from '../../core/errors.ts'
import type { Problems } from '../xds/problems.ts'

/** What Envoy needs and weft has other means for: named here, so that one file runs both. */
const ignored = [
  'layered_runtime',
  'layeredRuntime',
  'overload_manager',
  'stats_config',
  'stats_flush_interval',
]

/** Throws WeftError FILE_UNREADABLE, or BOOTSTRAP_INVALID with file, line and column of what is no YAML. */
export function readBootstrapFile(file: string): unknown {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new WeftError('FILE_UNREADABLE', `the bootstrap file ${file} cannot be read`, { cause: error })
  }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  if (document.errors.length > 0) {
    const detail = document.errors.map((error) => {
      const { line, col } = lines.linePos(error.pos[0])
      return `${file}:${line}:${col}: ${error.message}`
    })
    throw new WeftError('BOOTSTRAP_INVALID', 'the bootstrap file is no YAML', { detail })
  }
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    // Aliases that lead nowhere, or to too much.
    const detail = [`${file}: ${reasonOf(error)}`]
    throw new WeftError('BOOTSTRAP_INVALID', 'the bootstrap file is no YAML', { detail, cause: error })
  }
}

/** The message in parsed YAML or JSON; what does not fit goes to `problems`. */
export function bootstrapFromJson(json: unknown, problems: Problems): Bootstrap {
  const known =
    typeof json === 'object' && json !== null && !Array.isArray(json)
      ? Object.fromEntries(Object.entries(json).filter(([key]) => !ignored.includes(key)))
      : json
  return messageFromJson('envoy.config.bootstrap.v3.Bootstrap', known, (path, problem) =>
    problems.add(path === '' ? 'the file' : path, problem),
  )
}

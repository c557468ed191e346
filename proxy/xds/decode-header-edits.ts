/** What Envoy's messages add to, and remove from, the headers of a message. Everything is checked before it is used. */
import type { HeaderValueOption } from '../../api/xds/types.ts'
import { fieldNameProblem, fieldValueProblem } from '../../core/http-field.ts'
import type { HeaderEdit } from '../route/route-rule.ts'
import type { Problems } from './problems.ts'

const kinds = {
  APPEND_IF_EXISTS_OR_ADD: 'add',
  ADD_IF_ABSENT: 'addIfAbsent',
  OVERWRITE_IF_EXISTS_OR_ADD: 'set',
  OVERWRITE_IF_EXISTS: 'setIfPresent',
} as const

/** Envoy's values are formats: a percent sign is written twice, a single one begins a command. */
function literal(text: string, path: string, problems: Problems): string {
  if (/%/.test(text.replaceAll('%%', ''))) problems.add(path, 'holds a command (%), which is not supported')
  return text.replaceAll('%%', '%')
}

function edit(option: HeaderValueOption, path: string, problems: Problems): HeaderEdit {
  const { key: name = '', value: text = '' } = option.header ?? {}
  const value = literal(text, `${path}.header.value`, problems)
  const nameProblem = fieldNameProblem(name)
  if (nameProblem !== undefined) problems.add(`${path}.header.key`, nameProblem)
  const valueProblem = fieldValueProblem(value)
  if (valueProblem !== undefined) problems.add(`${path}.header.value`, valueProblem)
  // The older field of the same meaning.
  const overwrites = option.append?.value === false
  return { kind: overwrites ? 'set' : kinds[option.appendAction ?? 'APPEND_IF_EXISTS_OR_ADD'], name, value }
}

/** Removals first, as Envoy makes them. `path` is that of the fields up to `_to_add` and `_to_remove`. */
export function decodeHeaderEdits(
  add: readonly HeaderValueOption[] | undefined,
  remove: readonly string[] | undefined,
  path: string,
  problems: Problems,
): readonly HeaderEdit[] {
  const removals = (remove ?? []).map((name, i): HeaderEdit => {
    const problem = fieldNameProblem(name)
    if (problem !== undefined) problems.add(`${path}_to_remove[${i}]`, problem)
    return { kind: 'remove', name: name.toLowerCase() }
  })
  return [...removals, ...(add ?? []).map((option, i) => edit(option, `${path}_to_add[${i}]`, problems))]
}

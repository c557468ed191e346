/** Header changes of filters, prepared so that a request only runs them. Names and values were checked before. */
import type { HeaderList } from '../header-list.ts'
import type { HeaderEdit } from './route-rule.ts'

type Change = (headers: HeaderList) => void

function changeOf(edit: HeaderEdit): Change {
  const { name } = edit
  const lower = name.toLowerCase()
  if (edit.kind === 'remove') return (headers) => headers.remove(lower)
  const { kind, value } = edit
  switch (kind) {
    case 'set':
      return (headers) => headers.set(lower, value, name)
    case 'setIfPresent':
      return (headers) => {
        if (headers.get(lower) !== undefined) headers.set(lower, value, name)
      }
    case 'add':
      return (headers) => headers.append(name, value)
    case 'addIfAbsent':
      return (headers) => {
        if (headers.get(lower) === undefined) headers.append(name, value)
      }
  }
}

/** One function for all `edits`; undefined when there are none. */
export function headerEditor(edits: readonly HeaderEdit[]): Change | undefined {
  const changes = edits.map(changeOf)
  const [only] = changes
  if (changes.length <= 1) return only
  return (headers) => {
    for (const change of changes) change(headers)
  }
}

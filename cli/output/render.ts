/** What a command found, in the form that was asked for. */
import { stringify } from 'yaml'
import { type Table, tableText } from './table.ts'

export const outputForms = ['table', 'wide', 'json', 'yaml'] as const
export type OutputForm = (typeof outputForms)[number]

/** The terminal that is written to. */
export type Terminal = {
  /** undefined: it is none. */
  readonly width: number | undefined
  readonly colour: boolean
}

/** Standard output as it is: colour on a terminal only, and not where NO_COLOR says so (no-color.org). */
export function terminalOf(
  stream: { readonly isTTY?: boolean; readonly columns?: number },
  env: Readonly<Record<string, string | undefined>>,
): Terminal {
  const isTerminal = stream.isTTY === true
  const plain = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb'
  return { width: isTerminal ? stream.columns : undefined, colour: isTerminal && !plain }
}

/** `data` for programs, `table` for people; `wide` cuts nothing and has the columns that `wide` adds. */
export function render(
  form: OutputForm,
  found: { readonly data: object; readonly table: (wide: boolean) => Table; readonly none: string },
  { width }: Pick<Terminal, 'width'>,
): string {
  switch (form) {
    case 'json':
      return `${JSON.stringify(found.data, undefined, 2)}\n`
    case 'yaml':
      return stringify(found.data)
    case 'table':
    case 'wide': {
      const table = found.table(form === 'wide')
      if (table.rows.length === 0) return `${found.none}\n`
      return tableText(table, form === 'wide' ? undefined : width)
    }
  }
}

const colours = { ok: 32, warning: 33, fails: 31, unknown: 36 } as const

/** `√ text` and the like, coloured where the terminal is. */
export function mark(
  outcome: keyof typeof colours,
  text: string,
  { colour }: Pick<Terminal, 'colour'>,
): string {
  return colour ? `\u001b[${colours[outcome]}m${text}\u001b[0m` : text
}

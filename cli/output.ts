/** How a command's answer is written: a table that fits the terminal, more of it, or data for programs. */
import { Option } from 'commander'
import { stringify } from 'yaml'
import { showsColour } from './colour.ts'
import { type Column, table, type TableForm } from './table.ts'

export const outputForms = ['table', 'wide', 'json', 'yaml'] as const
export type OutputForm = (typeof outputForms)[number]

/** `-o`, the same for every command that shows something. */
export function outputOption(): Option {
  return new Option('-o, --output <form>', 'for people or for programs').choices(outputForms).default('table')
}

/** Where a command writes, as far as it has to know. */
export type Screen = Omit<TableForm, 'wide'>

/** Of standard output, or any stream; a file or a pipe has no colours, and no width unless `COLUMNS` gives one. */
export function screenOf(
  stream: { readonly isTTY?: boolean; readonly columns?: number } = process.stdout,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Screen {
  const named = /^[1-9][0-9]{0,3}$/.exec(env['COLUMNS'] ?? '')?.[0]
  const ofTerminal = stream.isTTY === true && stream.columns !== 0 ? stream.columns : undefined
  return {
    columns: named === undefined ? ofTerminal : Number(named),
    colour: showsColour(stream, env),
  }
}

/** `data` for programs, or undefined where the form is one for people. */
export function machineText(data: unknown, form: OutputForm): string | undefined {
  switch (form) {
    case 'json':
      return `${JSON.stringify(data, undefined, 2)}\n`
    case 'yaml':
      return stringify(data)
    case 'table':
    case 'wide':
      return undefined
  }
}

/** Rows in the form that was asked for: a table that fits, or all of it; programs get the rows as they are. */
export function listing<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  form: OutputForm,
  screen: Screen,
): string {
  const wide = form === 'wide'
  const room = wide ? undefined : screen.columns
  return machineText(rows, form) ?? table(columns, rows, { ...screen, columns: room, wide })
}

/** Rows of text as a table, where no column needs more than its heading. */
import { type OutputForm, type Screen, machineText } from './output.ts'
import { table } from './table.ts'

export type Table = {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** Columns left out where the terminal is too narrow for all, the first one first. */
  readonly spare?: readonly string[]
}

/** Fits the screen, unless `wide`. */
export function tableText({ columns, rows, spare = [] }: Table, screen: Screen, wide: boolean): string {
  const shown = columns.map((header, i) => ({
    header,
    text: (row: readonly string[]) => row[i] ?? '',
    ...(spare.includes(header) && { spare: spare.length - spare.indexOf(header) }),
  }))
  return table(shown, rows, { ...screen, ...(wide && { columns: undefined }), wide })
}

/** `data` for programs, a table for people, or `none` where there is nothing. */
export function render(
  form: OutputForm,
  found: { readonly data: object; readonly table: (wide: boolean) => Table; readonly none: string },
  screen: Screen,
): string {
  const machine = machineText(found.data, form)
  if (machine !== undefined) return machine
  const wide = form === 'wide'
  const made = found.table(wide)
  return made.rows.length === 0 ? `${found.none}\n` : tableText(made, screen, wide)
}

/** Tables for people: columns as wide as their content, and as narrow as the terminal asks for. Pure. */
import { type Colour, paint } from './colour.ts'

export type Column<Row> = {
  readonly header: string
  readonly text: (row: Row) => string
  readonly right?: boolean
  /** Only shown by `-o wide`. */
  readonly wide?: boolean
  /** Left out where the terminal is too narrow for all; the column with the highest number first. */
  readonly spare?: number
  readonly colour?: (row: Row) => Colour | undefined
}

export type TableForm = {
  readonly wide: boolean
  /** Of the terminal, in characters; undefined: whatever it takes. */
  readonly columns: number | undefined
  readonly colour: boolean
}

const gap = '  '
/** A column is not made narrower than this, or than its header. */
const narrowest = 8

/** The table as lines that end in a newline; its header too when there are no rows. */
export function table<Row>(all: readonly Column<Row>[], rows: readonly Row[], form: TableForm): string {
  const columns = all.filter((column) => form.wide || column.wide !== true)
  const cells = rows.map((row) => columns.map((column) => printable(column.text(row))))
  const needed = columns.map(({ header }, i) =>
    Math.max(header.length, ...cells.map((line) => (line[i] as string).length)),
  )
  const widths = fit(columns, needed, form.columns)
  if (form.columns !== undefined && lengthOf(widths) > form.columns) {
    const spare = columns
      .filter((column) => column.spare !== undefined)
      .toSorted((a, b) => (b.spare ?? 0) - (a.spare ?? 0))[0]
    if (spare !== undefined)
      return table(
        columns.filter((column) => column !== spare),
        rows,
        form,
      )
  }
  const line = (texts: readonly string[], row?: Row): string =>
    columns
      .map((column, i) => {
        const width = widths[i] as number
        const text = clip(texts[i] as string, width)
        const last = i === columns.length - 1
        const padding = last && column.right !== true ? '' : ' '.repeat(width - text.length)
        const colour = row === undefined ? undefined : column.colour?.(row)
        const painted = form.colour ? paint(text, colour) : text
        return column.right === true ? padding + painted : painted + padding
      })
      .join(gap)
      .trimEnd()
      .concat('\n')
  const head = line(columns.map(({ header }) => header))
  return head + rows.map((row, i) => line(cells[i] as string[], row)).join('')
}

/** One line, whatever somebody wrote into a message or a name. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ')
}

/** Takes from the widest columns of text until the line fits; figures are never cut. */
function fit<Row>(
  columns: readonly Column<Row>[],
  needed: readonly number[],
  room: number | undefined,
): readonly number[] {
  const widths = [...needed]
  if (room === undefined) return widths
  const least = columns.map(({ header, right }, i) =>
    right === true
      ? (needed[i] as number)
      : Math.min(needed[i] as number, Math.max(narrowest, header.length)),
  )
  while (lengthOf(widths) > room) {
    const spare = widths.map((width, i) => (width > (least[i] as number) ? width : 0))
    const widest = spare.indexOf(Math.max(...spare))
    if (spare[widest] === 0 || widest === -1) break
    widths[widest] = (widths[widest] as number) - 1
  }
  return widths
}

function lengthOf(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, gap.length * (widths.length - 1))
}

/** What is cut off shows that it is. */
function clip(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`
}

/** Rows as a table for people: columns in line, the last one cut where the terminal ends. Pure. */

export type Table = {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** A cut text says that it is one. */
function cut(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`
}

/** `width`: of the terminal; undefined: nothing is cut, as programs read it. */
export function tableText({ columns, rows }: Table, width: number | undefined): string {
  const all = [columns, ...rows]
  const widths = columns.map((_, i) => Math.max(...all.map((row) => (row[i] ?? '').length)))
  return all
    .map((row) => {
      const line = columns
        .map((_, i) => (row[i] ?? '').padEnd(widths[i] as number))
        .join('  ')
        .trimEnd()
      return `${width === undefined ? line : cut(line, width)}\n`
    })
    .join('')
}

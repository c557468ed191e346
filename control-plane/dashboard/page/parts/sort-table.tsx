/** A table whose columns sort; by keyboard too, and said to who cannot see it. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'

export type Column<Row> = {
  readonly title: string
  readonly number?: boolean
  readonly value: (row: Row) => string | number
  readonly cell: (row: Row) => ComponentChildren
}
type Order = { readonly column: number; readonly ascending: boolean }

type Props<Row> = {
  readonly caption: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
  /** The column that sorts at first. */
  readonly first?: Order
  /** How many rows are shown at most. */
  readonly limit?: number
}

function compare(a: string | number, b: string | number): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return String(a).localeCompare(String(b), 'en', { numeric: true })
}

export function SortTable<Row>({ caption, columns, rows, keyOf, first, limit = 500 }: Props<Row>) {
  const [order, setOrder] = useState<Order>(first ?? { column: 0, ascending: true })
  const by = columns[order.column] as Column<Row>
  const sorted = rows.toSorted(
    (a, b) => (order.ascending ? 1 : -1) * compare(by.value(a), by.value(b)) || compare(keyOf(a), keyOf(b)),
  )
  const choose = (column: number): void =>
    setOrder((now) => ({
      column,
      ascending: now.column === column ? !now.ascending : columns[column]?.number !== true,
    }))
  return (
    <div class="table-frame" role="region" aria-label={caption} tabIndex={0}>
      <table>
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ title, number }, i) => {
              const direction = order.ascending ? 'ascending' : 'descending'
              const sort = order.column === i ? direction : undefined
              return (
                <th key={title} scope="col" class={number ? 'number' : ''} aria-sort={sort}>
                  <button type="button" onClick={() => choose(i)}>
                    {title}
                    <svg viewBox="0 0 8 8" aria-hidden="true" class={sort ?? 'unsorted'}>
                      <path d="M1 5.6 4 2.4l3 3.2" />
                    </svg>
                  </button>
                </th>
              )
            })}
          </tr>
        </thead>
        <tbody>
          {sorted.slice(0, limit).map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ title, number, cell }, i) =>
                i === 0 ? (
                  <th key={title} scope="row">
                    {cell(row)}
                  </th>
                ) : (
                  <td key={title} class={number ? 'number' : ''}>
                    {cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > limit && (
        <p class="more">
          {limit} of {rows.length} are shown; filter to see others.
        </p>
      )}
    </div>
  )
}

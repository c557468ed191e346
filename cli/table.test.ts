import { describe, expect, it } from 'vitest'
import { screenOf } from './output.ts'
import { table } from './table.ts'

type Row = { readonly name: string; readonly rate: number }
const columns = [
  { header: 'NAME', text: (row: Row) => row.name },
  { header: 'RATE', text: (row: Row) => row.rate.toFixed(1), right: true, colour: () => 'red' as const },
]
const rows = [
  { name: 'catalog-with-a-long-name', rate: 1 },
  { name: 'web', rate: 1234.5 },
]

describe('a table', () => {
  it('lines figures up on the right and text on the left', () => {
    expect(table(columns, rows, { wide: false, columns: undefined, colour: false })).toBe(
      'NAME                        RATE\ncatalog-with-a-long-name     1.0\nweb                       1234.5\n',
    )
  })

  it('cuts text, never figures, until it fits the terminal', () => {
    const lines = table(columns, rows, { wide: false, columns: 20, colour: false }).split('\n')
    expect(lines[1]).toBe('catalog-wit…     1.0')
    expect(Math.max(...lines.map((line) => line.length))).toBe(20)
  })

  it('colours what it shows without changing its width', () => {
    const text = table(columns, rows, { wide: false, columns: undefined, colour: true })
    expect(text.split('\n')[2]).toBe('web                       \x1b[31m1234.5\x1b[0m')
  })
})

describe('a screen', () => {
  it('has colours and a width only where it is a terminal that wants them', () => {
    const terminal = { isTTY: true, columns: 80 }
    expect(screenOf(terminal, {})).toEqual({ columns: 80, colour: true })
    expect(screenOf(terminal, { NO_COLOR: '1' })).toEqual({ columns: 80, colour: false })
    expect(screenOf({}, {})).toEqual({ columns: undefined, colour: false })
  })
})

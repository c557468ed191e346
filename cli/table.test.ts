import { describe, expect, it } from 'vitest'
import type { AccessReport } from '../control-plane/model/access-status.ts'
import { listing, screenOf } from './output.ts'
import { policiesText } from './policy.ts'
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

  it('is as wide as COLUMNS says, where that is a width', () => {
    const widths = ['40', '', '0', 'wide'].map((columns) => screenOf({}, { COLUMNS: columns }).columns)
    expect(widths).toEqual([40, undefined, undefined, undefined])
    expect(screenOf({ isTTY: true, columns: 80 }, { COLUMNS: '40' }).columns).toBe(40)
  })
})

describe('a listing', () => {
  const narrow = { columns: 20, colour: false }

  it('is cut to fit the screen, but not as -o wide', () => {
    expect(listing(columns, rows, 'table', narrow)).toContain('catalog-wit…')
    expect(listing(columns, rows, 'wide', narrow)).toContain('catalog-with-a-long-name     1.0')
  })
})

describe('policies', () => {
  it('fit a terminal of 40 columns', () => {
    const access = {
      kind: 'AccessPolicy',
      namespace: 'shop',
      name: 'a-policy-with-a-name',
      targets: ['ServiceAccount inventory'],
      mtls: 'permissive',
      verdict: 'deny',
      rules: { allow: 1, deny: 2, audit: 0 },
      pods: 12,
      conditions: [],
    } as unknown as AccessReport
    const text = policiesText(
      { policies: [], services: [], access: [access] },
      { columns: 40, colour: false },
      false,
    )
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(40)
    expect(text).toMatch(/^ACCESS +TO +.*STATE/)
  })
})

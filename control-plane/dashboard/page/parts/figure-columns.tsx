/** The columns that every table of traffic has. */
import type { Figures } from '../model/figures.ts'
import { formatMs, formatRate } from '../model/format.ts'
import { Mtls, Success } from './marks.tsx'
import type { Column } from './sort-table.tsx'

function latency<Row>(title: string, of: (row: Row) => number | null): Column<Row> {
  return { title, number: true, value: (row) => of(row) ?? -1, cell: (row) => formatMs(of(row)) }
}

export function figureColumns<Row>(of: (row: Row) => Figures): readonly Column<Row>[] {
  return [
    {
      title: 'Requests/s',
      number: true,
      value: (row) => of(row).requestsPerSecond,
      cell: (row) => formatRate(of(row).requestsPerSecond),
    },
    {
      title: 'Success',
      number: true,
      value: (row) => of(row).successRatio ?? 2,
      cell: (row) => <Success figures={of(row)} />,
    },
    latency('p50', (row) => of(row).p50Ms),
    latency('p95', (row) => of(row).p95Ms),
    latency('p99', (row) => of(row).p99Ms),
    {
      title: 'Open',
      number: true,
      value: (row) => of(row).openConnections,
      cell: (row) => String(of(row).openConnections),
    },
    {
      title: 'mTLS',
      number: true,
      value: (row) => of(row).mtlsRatio,
      cell: (row) => <Mtls ratio={of(row).mtlsRatio} />,
    },
  ]
}

/** The columns that every table of live traffic has. */
import type { LiveInbound, LiveService, LiveWorkload } from '../api/live.ts'
import type { Column } from './table.ts'

export type Figures = Pick<
  LiveInbound,
  'requestsPerSecond' | 'successRatio' | 'p50Ms' | 'p95Ms' | 'p99Ms' | 'mtlsRatio'
>

const shortKinds: Readonly<Record<string, string>> = {
  Deployment: 'deploy',
  StatefulSet: 'sts',
  DaemonSet: 'ds',
}

/** `deploy/web` */
export function shortWorkload({ kind, name }: LiveWorkload): string {
  return `${shortKinds[kind] ?? kind.toLowerCase()}/${name}`
}

/** `catalog.shop:8080` */
export function shortService({ name, namespace, port }: LiveService): string {
  return `${name}.${namespace}:${port}`
}

export function percent(ratio: number | null): string {
  return ratio === null ? '-' : `${(ratio * 100).toFixed(2)}%`
}

export function milliseconds(ms: number | null): string {
  if (ms === null) return '-'
  return ms < 10 ? `${ms.toFixed(1)}ms` : `${Math.round(ms)}ms`
}

/** What is below is worth a look; far below, an alarm. */
const [goodSuccess, badSuccess] = [0.999, 0.95]

/** `figuresOf` gives undefined for a row without traffic. */
export function figureColumns<Row>(
  figuresOf: (row: Row) => Figures | undefined,
  wideQuantiles = false,
): readonly Column<Row>[] {
  const column = (
    header: string,
    text: (figures: Figures) => string,
    more: Partial<Column<Row>> = {},
  ): Column<Row> => ({
    header,
    right: true,
    text: (row) => {
      const figures = figuresOf(row)
      return figures === undefined ? '-' : text(figures)
    },
    ...more,
  })
  const quantile = (spare: number) => (wideQuantiles ? { wide: true } : { spare })
  return [
    column('RPS', ({ requestsPerSecond }) => (requestsPerSecond === 0 ? '-' : requestsPerSecond.toFixed(1))),
    column('SUCCESS', ({ successRatio }) => percent(successRatio), {
      colour: (row) => {
        const ratio = figuresOf(row)?.successRatio ?? null
        if (ratio === null || ratio >= goodSuccess) return undefined
        return ratio < badSuccess ? 'red' : 'yellow'
      },
    }),
    column('P50', ({ p50Ms }) => milliseconds(p50Ms), quantile(5)),
    column('P95', ({ p95Ms }) => milliseconds(p95Ms), quantile(6)),
    column('P99', ({ p99Ms }) => milliseconds(p99Ms), { spare: 1 }),
    column('MTLS', ({ mtlsRatio }) => `${Math.round(mtlsRatio * 100)}%`, { spare: 3 }),
  ]
}

/** How every panel of the dashboards looks: one place for units, legends and the data source. */
import { DashboardCursorSync } from '@grafana/grafana-foundation-sdk/dashboard'
import {
  DashboardBuilder,
  DashboardLinkBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'

/** Grafana's names. Shares are of 1, times in milliseconds as the histograms have them. */
export type Unit = 'reqps' | 'percentunit' | 'ms' | 's' | 'bytes' | 'Bps' | 'short' | 'cores'

export type Query = { readonly expr: string; readonly legend: string }

export type PanelSpec = {
  readonly title: string
  readonly unit: Unit
  /** What it means, for whoever is woken up by it. */
  readonly description: string
  readonly kind?: 'stat' | 'graph'
  /** A line has labels `namespace` and `deployment`, and leads to the dashboard of that workload. */
  readonly ofWorkloads?: boolean
  readonly queries: readonly Query[]
}

export type VariableSpec = {
  readonly name: string
  readonly label: string
  readonly query: string
  /** Any number of values, and all of them at first; else one. */
  readonly several?: boolean
}

export type DashboardSpec = {
  readonly uid: string
  readonly title: string
  readonly variables: readonly VariableSpec[]
  readonly panels: readonly PanelSpec[]
}

const datasource = { type: 'prometheus', uid: '${datasource}' }
const tag = 'weft'

function target({ expr, legend }: Query, index: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .datasource(datasource)
    .refId(String.fromCodePoint(65 + index))
    .expr(expr)
    .legendFormat(legend)
}

function grafanaUnit(unit: Unit): string {
  return unit === 'cores' ? 'short' : unit
}

const workloadLink = new DashboardLinkBuilder('Show ${__field.labels.deployment}').url(
  '/d/weft-workload?${__url_time_range}&${datasource:queryparam}&var-namespace=${__field.labels.namespace}&var-workload=${__field.labels.deployment}',
)

function panel({ title, unit, description, kind = 'graph', ofWorkloads = false, queries }: PanelSpec) {
  const builder = kind === 'stat' ? new StatBuilder() : new TimeseriesBuilder()
  const sized = builder
    .title(title)
    .description(description)
    .unit(grafanaUnit(unit))
    .datasource(datasource)
    .height(kind === 'stat' ? 4 : 8)
    .span(kind === 'stat' ? 6 : 12)
  if (ofWorkloads) sized.dataLinks([workloadLink])
  if (unit === 'percentunit') sized.min(0).max(1)
  for (const [index, query] of queries.entries()) sized.withTarget(target(query, index))
  return sized
}

/** The dashboard as Grafana imports it. */
export function dashboard({ uid, title, variables, panels }: DashboardSpec): object {
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .tags([tag])
    .refresh('30s')
    .time({ from: 'now-1h', to: 'now' })
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .link(
      new DashboardLinkBuilder('Mesh')
        .type('dashboards' as never)
        .tags([tag])
        .includeVars(true)
        .keepTime(true),
    )
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
  for (const { name, label, query, several = false } of variables)
    builder.withVariable(
      new QueryVariableBuilder(name)
        .label(label)
        .query({ query, refId: name })
        .datasource(datasource)
        .multi(several)
        .includeAll(several)
        .refresh(2 as never)
        .sort(1 as never),
    )
  for (const spec of panels) builder.withPanel(panel(spec))
  return builder.build()
}

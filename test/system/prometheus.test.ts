/** A real Prometheus over the running demo: every expression that we ship, and Flagger's, has an answer that is true. */
import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Load } from '../../cli/demo/load.ts'
import { DemoMesh } from '../../cli/demo/mesh.ts'
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import { dashboards } from '../../deploy/observe/files.ts'
import { rules } from '../../deploy/observe/rules.ts'
import { latencyBucketsMs } from '../../proxy/telemetry/golden-stats.ts'
import { flaggerQueries } from './flagger-queries.ts'
import { PrometheusProcess } from './prometheus-process.ts'
import { describeWith } from './requirements.ts'

const loadMs = 25_000
const chosen: Readonly<Record<string, string>> = {
  $__rate_interval: '20s',
  $namespace: 'shop',
  $service: 'catalog-v1|catalog-v2|inventory|web',
  $workload: 'catalog-v1',
  $canary: 'catalog-v2',
}
/** The demo has no API server and no injector; its control plane is there. */
const emptyInDemo = ['weft_watch_silence_seconds', 'injector_failures_total', 'absent(']

/** Linkerd's, Istio's and OSM's: whose dashboards and queries read them. */
const othersNames = [
  'response_latency_ms',
  'identity_cert_refresh_count',
  'istio_request_duration_milliseconds',
  'osm_request_duration_ms',
  'tcp_connection_duration_ms',
]

/** What promtool says of a page of metrics, a line each. */
function lint(text: string): readonly string[] {
  const { stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
  return stderr.split('\n').filter((line) => line !== '')
}

function filledIn(expression: string): string {
  return Object.entries(chosen).reduce((text, [name, value]) => text.replaceAll(name, value), expression)
}

/** An alert on a mesh that is well is empty: compared with `bool`, it shows whether it has something to judge. */
function judged(expression: string): string {
  return expression.replace(/ (>|<|==) /g, ' $1 bool ')
}

function bucketOf(ms: number): number {
  const index = latencyBucketsMs.findIndex((bound) => ms <= bound)
  return index === -1 ? latencyBucketsMs.length : index
}

describeWith(['prometheus', 'promtool'], 'Prometheus over the demo', () => {
  let mesh: DemoMesh
  let prometheus: PrometheusProcess
  const latenciesMs: number[] = []
  let failed = 0

  beforeAll(async () => {
    mesh = await DemoMesh.prepare(undefined, ['--metric-aliases=all'])
    await mesh.start({ v1: 60, v2: 40 })
    prometheus = await PrometheusProcess.start({
      sidecars: mesh.pods.map(({ adminPort }) => `127.0.0.1:${adminPort}`),
      controlPlanes: [`127.0.0.1:${mesh.controlPlaneAdminPort}`],
    })
    const load = new Load(mesh.pod('client').outboundPort)
    const until = performance.now() + loadMs
    const sending = load.run(
      'http://web:8080/',
      4,
      () => performance.now() < until,
      ({ status, latencyMs }) => {
        latenciesMs.push(latencyMs)
        if (status !== 200) failed++
      },
    )
    await sleep(loadMs / 3)
    await mesh.setVersionFailing('catalog-v2', true)
    mesh.writeSplit({ v1: 50, v2: 50 })
    await sleep(loadMs / 10)
    await mesh.setVersionFailing('catalog-v2', false)
    mesh.writeSplit({ v1: 60, v2: 40 })
    await sleep(loadMs / 3)
    // Later queries look at the last 20 s, in which something has to have changed.
    mesh.writeSplit({ v1: 55, v2: 45 })
    await sending
    load.close()
    await sleep(3_000)
  }, 120_000)
  afterAll(async () => {
    prometheus?.stop()
    await mesh?.stop(false)
  })

  for (const { title, panels } of dashboards)
    for (const panel of panels)
      it(`answers '${panel.title}' of ${title}`, async () => {
        for (const { expr, legend } of panel.queries) {
          const series = await prometheus.query(filledIn(expr))
          // Not a number is what a ratio or a quantile of nothing is.
          const figures = series.filter(({ value }) => Number.isFinite(Number(value[1])))
          expect(figures.length, filledIn(expr)).toBeGreaterThan(0)
          // What is not there in the demo shows as a zero without labels.
          const labelled = figures.filter(({ metric }) => Object.keys(metric).length > 0)
          for (const [, label = ''] of legend.matchAll(/\{\{(\w+)\}\}/g))
            for (const { metric } of labelled) expect(metric[label], `${legend} of ${expr}`).toBeDefined()
        }
      })

  for (const { title, variables } of dashboards)
    for (const { name, query } of variables)
      it(`offers values for the variable '${name}' of ${title}`, async () => {
        const [, selector = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(query) ?? []
        const values = await prometheus.labelValues(label, filledIn(selector))
        expect(values.length, query).toBeGreaterThan(0)
        // What the panels above were asked with is among them.
        for (const value of (chosen[`$${name}`] as string).split('|')) expect(values).toContain(value)
      })

  it("has metrics of which promtool's linter finds nothing wrong but names that are other meshes'", async () => {
    const ports = [mesh.controlPlaneAdminPort, ...mesh.pods.map(({ adminPort }) => adminPort)]
    for (const port of ports) {
      const { text } = await fetchText(port, '/metrics')
      const found = lint(text).filter((line) => !othersNames.some((name) => line.startsWith(`${name} `)))
      expect(found).toEqual([])
    }
  })

  it("has Istio's sizes for every request that was counted", async () => {
    const count = (family: string) => prometheus.value(`sum(${family}{reporter="destination"})`)
    expect(await count('istio_request_bytes_count')).toBe(await count('istio_requests_total'))
    expect(await count('istio_response_bytes_sum')).toBeGreaterThan(0)
  })

  it('counts by route and backend what it counts by endpoint', async () => {
    const own = 'pod="web",parent_name="catalog"'
    const byRoute = await prometheus.value(`sum(outbound_http_route_request_statuses_total{${own}})`)
    const byBackend = await prometheus.query(
      `sum by (backend_name) (outbound_http_route_backend_response_statuses_total{${own}})`,
    )
    const byEndpoint = await prometheus.value(
      'sum(response_total{pod="web",direction="outbound",authority=~"catalog.*"})',
    )
    expect(byRoute).toBe(byEndpoint)
    const backends = new Set(byBackend.map(({ metric }) => metric['backend_name']))
    expect(backends).toEqual(new Set(['catalog-v1', 'catalog-v2']))
  })

  for (const group of rules.groups)
    for (const rule of group.rules)
      it(`has what ${'record' in rule ? rule.record : rule.alert} judges`, async () => {
        const series = await prometheus.query(judged(rule.expr))
        if (emptyInDemo.some((part) => rule.expr.includes(part))) expect(series).toEqual([])
        else expect(series.length, rule.expr).toBeGreaterThan(0)
      })

  for (const [name, expr] of flaggerQueries('shop', 'catalog-v2', '20s'))
    it(`answers Flagger's query '${name}'`, async () => {
      const value = await prometheus.value(expr)
      expect(value).toBeGreaterThan(0)
      if (name.endsWith('success')) expect(value).toBeLessThanOrEqual(100)
    })

  it('agrees with the load generator on success within 1 %, and on the 99th percentile within one bucket', async () => {
    const own = 'pod="client",direction="outbound"'
    const success = await prometheus.value(
      `sum(response_total{${own},classification="success"}) / sum(response_total{${own}})`,
    )
    const p99Ms = await prometheus.value(
      `histogram_quantile(0.99, sum by (le) (response_latency_ms_bucket{${own}}))`,
    )
    const sorted = latenciesMs.toSorted((a, b) => a - b)
    const ownP99Ms = sorted[Math.floor(sorted.length * 0.99)] ?? 0
    process.stderr.write(
      `requests ${sorted.length}, success ${(1 - failed / sorted.length).toFixed(4)} against ${success.toFixed(4)}, p99 ${ownP99Ms.toFixed(1)} ms against ${p99Ms.toFixed(1)} ms\n`,
    )
    expect(failed).toBeGreaterThan(0)
    expect(Math.abs(success - (1 - failed / sorted.length))).toBeLessThan(0.01)
    expect(Math.abs(bucketOf(p99Ms) - bucketOf(ownP99Ms))).toBeLessThanOrEqual(1)
  })
})

/** promtool over the rules with made-up series: each alert fires when it should, says what it should, and is silent else. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { rules } from '../../deploy/observe/rules.ts'
import { describeWith } from './requirements.ts'

const rulesFile = path.join(import.meta.dirname, '../../deploy/observe/rules.yaml')
/** Series in promtool's notation, a value a minute. */
type SeriesValues = Readonly<Record<string, string>>
type Case = {
  readonly series: SeriesValues
  readonly labels: Readonly<Record<string, string>>
  readonly summary: string
}

const workload = 'direction="inbound",namespace="shop",deployment="web"'
const success = `response_total{${workload},classification="success"}`
const failure = `response_total{${workload},classification="failure"}`
const pod = 'namespace="shop",pod="web-1"'
const ofPod = { namespace: 'shop', pod: 'web-1' }
const bucket = (le: string): string => `weft_xds_convergence_seconds_bucket{le="${le}"}`
const always = (value: number): string => `${value}x120`
const growing = (perMinute: number): string => `0+${perMinute}x120`

/** A mesh in which all is well. */
const healthy: SeriesValues = {
  [success]: growing(6_000),
  [failure]: growing(1),
  [`identity_cert_expiration_timestamp_seconds{${pod}}`]: always(90_000),
  'weft_issuer_expiration_timestamp_seconds{instance="a"}': always(315_360_000),
  'weft_xds_streams{instance="a"}': always(0),
  [bucket('0.1')]: growing(60),
  [bucket('10')]: growing(60),
  [bucket('+Inf')]: growing(60),
  'weft_xds_nacks_total{instance="a"}': always(3),
  'weft_config_refused{instance="a"}': always(0),
  [`control_connected{${pod}}`]: always(1),
  [`overload_memory_share{${pod}}`]: always(0.8),
  'injector_failures_total{instance="b"}': always(3),
  'weft_watch_silence_seconds{kind="Pod"}': always(60),
}

/** What is put in the place of a healthy series; `_` takes it away. */
const troubles: Readonly<Record<string, Case>> = {
  WeftErrorBudgetBurnsFast: {
    series: { [failure]: growing(120) },
    labels: { namespace: 'shop', deployment: 'web' },
    summary: 'shop/web fails 1.961% of its requests',
  },
  WeftErrorBudgetBurns: {
    series: { [failure]: growing(60) },
    labels: { namespace: 'shop', deployment: 'web' },
    summary: 'shop/web fails 0.9901% of its requests',
  },
  WeftCertificateEnds: {
    series: { [`identity_cert_expiration_timestamp_seconds{${pod}}`]: always(7_200) },
    labels: ofPod,
    summary: 'The certificate of shop/web-1 ends in 30m 0s',
  },
  WeftIssuerEnds: {
    series: { 'weft_issuer_expiration_timestamp_seconds{instance="a"}': always(178_200) },
    labels: {},
    summary: 'What issues the certificates of the mesh ends in 2d 0h 0m 0s',
  },
  WeftIssuerEndsToday: {
    series: { 'weft_issuer_expiration_timestamp_seconds{instance="a"}': always(9_000) },
    labels: {},
    summary: 'What issues the certificates of the mesh ends in 1h 0m 0s',
  },
  WeftControlPlaneAway: {
    series: { 'weft_xds_streams{instance="a"}': '_x120' },
    labels: {},
    summary: 'No control plane of weft is scraped',
  },
  WeftConvergenceSlow: {
    series: { [bucket('0.1')]: always(0) },
    labels: {},
    summary: 'Changes take 9.901s to be in force',
  },
  WeftUpdatesRefused: {
    series: { 'weft_xds_nacks_total{instance="a"}': growing(1) },
    labels: { instance: 'a' },
    summary: 'Sidecars refuse what the control plane sends',
  },
  WeftConfigurationRefused: {
    series: { 'weft_config_refused{instance="a"}': always(2) },
    labels: {},
    summary: '2 objects or files are refused by the control plane',
  },
  WeftSidecarDisconnected: {
    series: { [`control_connected{${pod}}`]: always(0) },
    labels: ofPod,
    summary: 'shop/web-1 has no control plane',
  },
  WeftSidecarMemory: {
    series: { [`overload_memory_share{${pod}}`]: always(0.9) },
    labels: ofPod,
    summary: 'The sidecar of shop/web-1 uses 90% of its memory',
  },
  WeftInjectorFails: {
    series: { 'injector_failures_total{instance="b"}': growing(1) },
    labels: { instance: 'b' },
    summary: 'The injector cannot decide on pods that are made',
  },
  WeftWatchLags: {
    series: { 'weft_watch_silence_seconds{kind="Pod"}': always(600) },
    labels: { kind: 'Pod' },
    summary: 'The API server has told nothing of Pod for 10m 0s',
  },
}

const alerts = rules.groups[1].rules
const at = '90m'

function filledIn(text: string, labels: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => labels[label] ?? '')
}

function expectedOf(name: string): object {
  const { labels, summary } = troubles[name] as Case
  const rule = alerts.find(({ alert }) => alert === name)
  if (rule === undefined) throw new Error(`no alert ${name}`)
  const { description, runbook } = rule.annotations
  return {
    exp_labels: { ...rule.labels, ...labels },
    exp_annotations: {
      summary,
      description: filledIn(description, labels),
      runbook: filledIn(runbook, labels),
    },
  }
}

/** One mesh, and what each alert in it has to say. */
function scenario(changed: SeriesValues, firing: readonly string[], asked: readonly string[]): object {
  return {
    interval: '1m',
    input_series: Object.entries({ ...healthy, ...changed }).map(([series, values]) => ({ series, values })),
    alert_rule_test: asked.map((alertname) => ({
      eval_time: at,
      alertname,
      exp_alerts: firing.includes(alertname) ? [expectedOf(alertname)] : [],
    })),
  }
}

describeWith(['promtool'], 'the alert rules', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'weft-alerts-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** Throws what promtool says. */
  function promtoolTest(...tests: readonly object[]): void {
    const file = path.join(folder, 'tests.yaml')
    writeFileSync(file, stringify({ rule_files: [rulesFile], evaluation_interval: '1m', tests }))
    try {
      execFileSync('promtool', ['test', 'rules', file], { stdio: 'pipe', encoding: 'utf8' })
    } catch (error) {
      const { stdout, stderr } = error as { readonly stdout: string; readonly stderr: string }
      throw new Error(stdout + stderr, { cause: error })
    }
  }

  const names = alerts.map(({ alert }) => alert)

  it('are silent in a mesh that is well', () => {
    promtoolTest(scenario({}, [], names))
  })

  it('fire, each in its own trouble, with the summary and the runbook', () => {
    expect(Object.keys(troubles).toSorted()).toEqual(names.toSorted())
    promtoolTest(...names.map((name) => scenario((troubles[name] as Case).series, [name], [name])))
  })
})

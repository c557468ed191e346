/** Recording and alert rules. Thresholds are those of Google's SRE workbook (multi-window burn) for 99.9 %. */

const objective = 0.999
const windows = ['5m', '30m', '1h', '6h'] as const
type Window = (typeof windows)[number]

function errorRatio(window: Window): string {
  const rate = (more: string) =>
    `sum by (namespace, deployment) (rate(response_total{direction="inbound"${more}}[${window}]))`
  return `1 - (${rate(',classification="success"')} or 0 * ${rate('')}) / ${rate('')}`
}

function recorded(window: Window): string {
  return `workload:response_errors:ratio_rate${window}`
}

function burn(factor: number, long: Window, short: Window): string {
  const above = (window: Window) => `${recorded(window)} > ${factor} * ${(1 - objective).toFixed(3)}`
  return `${above(long)} and ${above(short)}`
}

type Alert = {
  readonly alert: string
  readonly expr: string
  readonly for: string
  readonly labels: { readonly severity: 'page' | 'ticket' }
  readonly annotations: { readonly summary: string; readonly description: string }
}

function alert(
  name: string,
  severity: 'page' | 'ticket',
  lasting: string,
  expr: string,
  [summary, description]: readonly [string, string],
): Alert {
  return { alert: name, expr, for: lasting, labels: { severity }, annotations: { summary, description } }
}

const alerts: readonly Alert[] = [
  alert('WeftErrorBudgetBurnsFast', 'page', '2m', burn(14.4, '1h', '5m'), [
    '{{ $labels.namespace }}/{{ $labels.deployment }} fails {{ $value | humanizePercentage }} of its requests',
    'At this rate 2 % of the month’s error budget (99.9 %) are gone in an hour. Look at the workload’s dashboard, and at `weft stat`.',
  ]),
  alert('WeftErrorBudgetBurns', 'ticket', '15m', burn(6, '6h', '30m'), [
    '{{ $labels.namespace }}/{{ $labels.deployment }} fails {{ $value | humanizePercentage }} of its requests',
    'At this rate 5 % of the month’s error budget (99.9 %) are gone in six hours.',
  ]),
  alert('WeftCertificateEnds', 'page', '5m', 'identity_cert_expiration_timestamp_seconds - time() < 3600', [
    'The certificate of {{ $labels.namespace }}/{{ $labels.pod }} ends in {{ $value | humanizeDuration }}',
    'Sidecars renew at half of a certificate’s life; this one cannot. Its log says why (`CERTIFICATE_REFUSED` and the like).',
  ]),
  alert(
    'WeftConvergenceSlow',
    'ticket',
    '10m',
    'histogram_quantile(0.99, sum by (le) (rate(weft_xds_convergence_seconds_bucket[5m]))) > 5',
    [
      'Changes take {{ $value | humanizeDuration }} to be in force',
      'The control plane is short of CPU, or sidecars answer slowly.',
    ],
  ),
  alert('WeftUpdatesRefused', 'ticket', '5m', 'increase(weft_xds_nacks_total[10m]) > 0', [
    'Sidecars refuse what the control plane sends',
    'They keep the last good configuration. The control plane’s log names the client and the field (`RESOURCE_REJECTED`).',
  ]),
  alert('WeftSidecarDisconnected', 'ticket', '10m', 'control_connected == 0', [
    '{{ $labels.namespace }}/{{ $labels.pod }} has no control plane',
    'It goes on with what it knows, and learns nothing new.',
  ]),
  alert('WeftSidecarMemory', 'ticket', '10m', 'overload_memory_share > 0.85', [
    'The sidecar of {{ $labels.namespace }}/{{ $labels.pod }} uses {{ $value | humanizePercentage }} of its memory',
    'Above 95 % it sheds load. Raise `config.weft.dev/proxy-memory-limit`, or look for clients that do not read.',
  ]),
  alert('WeftWatchLags', 'ticket', '5m', 'weft_watch_silence_seconds > 300', [
    'The API server has told nothing of {{ $labels.kind }} for {{ $value | humanizeDuration }}',
    'What changes meanwhile is not in force.',
  ]),
]

export const rules = {
  groups: [
    {
      name: 'weft-recording',
      rules: windows.map((window) => ({ record: recorded(window), expr: errorRatio(window) })),
    },
    { name: 'weft-alerts', rules: alerts },
  ],
} as const

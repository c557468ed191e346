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
  /** `runbook`: what to do first, for whoever is woken up. */
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook: string }
}

function alert(
  name: string,
  severity: 'page' | 'ticket',
  lasting: string,
  expr: string,
  annotations: Alert['annotations'],
): Alert {
  return { alert: name, expr, for: lasting, labels: { severity }, annotations }
}

const whoFails =
  '{{ $labels.namespace }}/{{ $labels.deployment }} fails {{ $value | humanizePercentage }} of its requests'
const burnRunbook =
  'Look at the dashboard of the workload: replies by status, and whether a split or a rollout began when it began to fail. `weft stat -n {{ $labels.namespace }}` and `weft tap deploy/{{ $labels.deployment }} --status 5xx` show it live. Give the weight back to the version of before with `weft split set`.'
const days = 86_400

const alerts: readonly Alert[] = [
  alert('WeftErrorBudgetBurnsFast', 'page', '2m', burn(14.4, '1h', '5m'), {
    summary: whoFails,
    description: 'At this rate 2 % of the month’s error budget (99.9 %) are gone in an hour.',
    runbook: burnRunbook,
  }),
  alert('WeftErrorBudgetBurns', 'ticket', '15m', burn(6, '6h', '30m'), {
    summary: whoFails,
    description: 'At this rate 5 % of the month’s error budget (99.9 %) are gone in six hours.',
    runbook: burnRunbook,
  }),
  alert('WeftCertificateEnds', 'page', '5m', 'identity_cert_expiration_timestamp_seconds - time() < 3600', {
    summary:
      'The certificate of {{ $labels.namespace }}/{{ $labels.pod }} ends in {{ $value | humanizeDuration }}',
    description:
      'Sidecars renew at half of a certificate’s life; this one cannot. Nobody takes it for the pod once it has ended.',
    runbook:
      'Its log says why (`CERTIFICATE_REFUSED` and the like), `weft check --proxy` whether others have it too. Where the control plane is well, make the pod anew.',
  }),
  alert(
    'WeftIssuerEnds',
    'ticket',
    '1h',
    `min(weft_issuer_expiration_timestamp_seconds) - time() < ${14 * days}`,
    {
      summary: 'What issues the certificates of the mesh ends in {{ $value | humanizeDuration }}',
      description: 'No sidecar’s certificate lasts longer than that.',
      runbook:
        '`weft identity show` says which root it is. `weft identity rotate` replaces one that weft made; one of your own is replaced as docs/identity.md says.',
    },
  ),
  alert(
    'WeftIssuerEndsToday',
    'page',
    '5m',
    `min(weft_issuer_expiration_timestamp_seconds) - time() < ${days}`,
    {
      summary: 'What issues the certificates of the mesh ends in {{ $value | humanizeDuration }}',
      description: 'Then no request goes by mTLS any more, and where that is required, none at all.',
      runbook:
        '`weft identity rotate` now, or renew the issuer that you keep outside of weft (docs/identity.md); then see that `weft check` says ROOT_VALID.',
    },
  ),
  alert('WeftControlPlaneAway', 'page', '5m', 'absent(weft_xds_streams)', {
    summary: 'No control plane of weft is scraped',
    description: 'Sidecars go on with what they know. No change is in force, no new pod gets a certificate.',
    runbook:
      '`weft check`, and `kubectl get pods -n weft`. Where it runs, see in Prometheus (*Status, Targets*) why it cannot be scraped.',
  }),
  alert(
    'WeftConvergenceSlow',
    'ticket',
    '10m',
    'histogram_quantile(0.99, sum by (le) (rate(weft_xds_convergence_seconds_bucket[5m]))) > 5',
    {
      summary: 'Changes take {{ $value | humanizeDuration }} to be in force',
      description: 'The control plane is short of CPU, or sidecars answer slowly.',
      runbook:
        'Look at *Event loop* and *Pushes and answers* of the dashboard *control plane*. With the event loop near 100 % give it more CPU or replicas; else find the slow sidecars by their `control_last_message_age_seconds`.',
    },
  ),
  alert('WeftUpdatesRefused', 'ticket', '5m', 'increase(weft_xds_nacks_total[10m]) > 0', {
    summary: 'Sidecars refuse what the control plane sends',
    description: 'They keep the last good configuration.',
    runbook:
      '`weft check` names sidecar, resource and field (CONFIG_REFUSED), and so does the control plane’s log (`RESOURCE_REJECTED`). Correct the object, or run one version on both sides.',
  }),
  alert('WeftConfigurationRefused', 'ticket', '10m', 'max(weft_config_refused) > 0', {
    summary: '{{ $value }} objects or files are refused by the control plane',
    description: 'What they said before is in force.',
    runbook: '`weft check` names them, the control plane’s log line and field. Correct what is named.',
  }),
  alert('WeftSidecarDisconnected', 'ticket', '10m', 'control_connected == 0', {
    summary: '{{ $labels.namespace }}/{{ $labels.pod }} has no control plane',
    description: 'It goes on with what it knows, and learns nothing new.',
    runbook:
      '`weft check` says whether the control plane answers at all. Is it one pod alone, see in its log why the connection fails (network policy, token, roots).',
  }),
  alert('WeftSidecarMemory', 'ticket', '10m', 'overload_memory_share > 0.85', {
    summary:
      'The sidecar of {{ $labels.namespace }}/{{ $labels.pod }} uses {{ $value | humanizePercentage }} of its memory',
    description: 'Above 95 % it sheds load.',
    runbook:
      'Raise `config.weft.dev/proxy-memory-limit`, or look for clients that do not read: *Open connections* of the dashboard *workload*, `weft config` for how much it holds.',
  }),
  alert('WeftInjectorFails', 'page', '5m', 'increase(injector_failures_total[10m]) > 0', {
    summary: 'The injector cannot decide on pods that are made',
    description: 'They are made without a sidecar, or with `weft install --ha` not at all.',
    runbook:
      '`weft check` tries a pod; the injector’s log says what it lacks, mostly the API server or the trust bundle.',
  }),
  alert('WeftWatchLags', 'ticket', '5m', 'weft_watch_silence_seconds > 300', {
    summary: 'The API server has told nothing of {{ $labels.kind }} for {{ $value | humanizeDuration }}',
    description: 'What changes meanwhile is not in force.',
    runbook:
      'See in the control plane’s log what the API server answers, and whether its ServiceAccount may still list and watch the kind (`weft check`: CLUSTER_ROLE_OUTDATED).',
  }),
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

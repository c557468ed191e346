/** What a cluster with weft in it shows, judged. Pure. */
import { injectedAnnotations } from '../../api/annotations.ts'
import { injectorName, proxyContainerName, weftNamespace } from '../../api/deployment.ts'
import { version } from '../../core/version.ts'
import { decide, isInjected } from '../../injector/decide.ts'
import { type Check, failing, good, unasked, warning } from './check.ts'
import type { ClusterFacts, DeploymentObject, Lookup, NamespaceObject, PodObject } from './cluster-facts.ts'
import { namespaceChecks, podAnnotationChecks } from './injection-checks.ts'
import { outdatedChecks } from './outdated-objects.ts'
import { certificateCheck, certificatesOf, rootChecks } from './root-checks.ts'

const again = 'make the pod anew: kubectl rollout restart of what it belongs to'
const installHint = 'weft install | kubectl apply -f -'

function nameOf({ manifest: { kind, metadata } }: Lookup): string {
  return metadata.namespace === undefined
    ? `${kind} ${metadata.name}`
    : `${kind} ${metadata.namespace}/${metadata.name}`
}

function missingId({ manifest: { kind } }: Lookup): string {
  return kind === 'CustomResourceDefinition'
    ? 'CRD_MISSING'
    : `${kind.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}_MISSING`
}

function installationChecks({ installed }: ClusterFacts): readonly Check[] {
  const missing = installed.filter(({ reply }) => reply.status === 404)
  const refused = installed.filter(({ reply }) => reply.status === 401 || reply.status === 403)
  const troubles = [
    ...missing.map((lookup) =>
      failing('installation', missingId(lookup), `${nameOf(lookup)} is missing`, installHint),
    ),
    ...refused.map((lookup) =>
      unasked(
        'installation',
        'NOT_ALLOWED',
        `${nameOf(lookup)} may not be read`,
        'run it as somebody who may; the others are checked',
      ),
    ),
    ...installed.flatMap(outdatedChecks),
  ]
  return troubles.length > 0
    ? troubles
    : [
        good(
          'installation',
          'EVERYTHING_INSTALLED',
          `all ${installed.length} objects of weft are there, and of this version`,
        ),
      ]
}

function deploymentChecks({ installed }: ClusterFacts): readonly Check[] {
  return installed
    .filter(({ manifest, reply }) => manifest.kind === 'Deployment' && reply.status === 200)
    .map((lookup) => {
      const { spec, status } = lookup.reply.body as DeploymentObject
      const [ready, wanted] = [status?.readyReplicas ?? 0, spec.replicas ?? 1]
      const { name } = lookup.manifest.metadata
      return ready < wanted || ready === 0
        ? failing(
            'control-plane',
            'REPLICAS_NOT_READY',
            `${ready} of ${wanted} pods of ${name} are ready`,
            `kubectl describe pods -n ${weftNamespace} -l app.kubernetes.io/name=${name}`,
          )
        : good('control-plane', 'REPLICAS_READY', `${ready} of ${wanted} pods of ${name} are ready`)
    })
}

function bundleChecks({ trustBundle }: ClusterFacts, nowMs: number): readonly Check[] {
  return trustBundle === undefined || trustBundle === ''
    ? [
        failing(
          'identity',
          'TRUST_BUNDLE_MISSING',
          'nobody is told what the control plane is trusted by',
          'the control plane fills it once it runs; see its log',
        ),
      ]
    : rootChecks(trustBundle, nowMs)
}

const webhookHint = 'the injector writes it when it starts; see its log'

function webhookChecks({ webhookBundle, trial }: ClusterFacts, nowMs: number): readonly Check[] {
  if (webhookBundle === undefined || trial === undefined) return []
  const certificates = certificatesOf(webhookBundle)
  const ofBundle =
    certificates.length === 0
      ? [
          failing(
            'webhook',
            'WEBHOOK_CERTIFICATE_MISSING',
            'the API server is not told how to trust the webhook',
            webhookHint,
          ),
        ]
      : certificates.map((pem) => webhookCertificate(pem, nowMs))
  return [...ofBundle, trialCheck(trial)]
}

/** It is renewed by itself, so that only its end counts. */
function webhookCertificate(pem: string, nowMs: number): Check {
  const facts = {
    category: 'webhook',
    prefix: 'WEBHOOK_CERTIFICATE',
    what: 'a certificate of the webhook',
    hint: webhookHint,
  } as const
  const check = certificateCheck(pem, facts, nowMs)
  return check.outcome === 'warning' ? good('webhook', 'WEBHOOK_CERTIFICATE_VALID', check.message) : check
}

function trialCheck({ status, message, injected }: NonNullable<ClusterFacts['trial']>): Check {
  const hint = `see that pods of the injector are ready, and that the API server may connect to them (port 8443 of ${weftNamespace}) and trusts them (caBundle; the injector writes it when it starts)`
  if (injected)
    return good(
      'webhook',
      'WEBHOOK_ANSWERS',
      'the API server reaches the webhook: a pod that was tried has a sidecar',
    )
  if (/x509: |tls: /.test(message))
    return failing(
      'webhook',
      'WEBHOOK_NOT_TRUSTED',
      `the API server does not trust the webhook: ${message}`,
      `its caBundle is of another injector: kubectl rollout restart deployment/${injectorName} -n ${weftNamespace}`,
    )
  if (status === 201 || /failed calling webhook/.test(message))
    return failing(
      'webhook',
      'WEBHOOK_UNREACHABLE',
      `a pod that was tried got no sidecar${message === '' ? '' : `: ${message}`}`,
      hint,
    )
  return unasked(
    'webhook',
    'WEBHOOK_NOT_TRIED',
    `no pod could be tried: ${status} ${message}`,
    'run it as somebody who may make pods in namespace default',
  )
}

function isReady({ status }: PodObject): boolean {
  const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
  return statuses.some(({ name, ready }) => name === proxyContainerName && ready)
}

function isRunning({ status }: PodObject): boolean {
  return status?.phase === 'Running' || status?.phase === 'Pending'
}

function podChecks(
  pod: PodObject,
  namespace: NamespaceObject | undefined,
  trustBundle: string | undefined,
): readonly Check[] {
  const key = `${pod.metadata.namespace}/${pod.metadata.name}`
  if (!isInjected(pod)) {
    const { annotations = {}, labels = {} } = namespace?.metadata ?? {}
    const decision = decide(pod, { annotations, labels })
    if (decision.kind === 'inject')
      return [
        failing('data-plane', 'SIDECAR_MISSING', `pod ${key} should have a sidecar, and has none`, again),
      ]
    return decision.kind === 'refuse'
      ? [
          failing(
            'data-plane',
            'SIDECAR_REFUSED',
            `pod ${key} can have no sidecar: ${decision.reason}`,
            'correct what is named',
          ),
        ]
      : []
  }
  return sidecarChecks(pod, trustBundle)
}

/** Of a pod that has one. */
function sidecarChecks(pod: PodObject, trustBundle: string | undefined): readonly Check[] {
  const key = `${pod.metadata.namespace}/${pod.metadata.name}`
  const marks = pod.metadata.annotations ?? {}
  const [proxyVersion, roots] = [
    marks[injectedAnnotations.proxyVersion],
    marks[injectedAnnotations.trustBundle],
  ]
  return [
    ...(isReady(pod)
      ? []
      : [
          failing(
            'data-plane',
            'SIDECAR_NOT_READY',
            `the sidecar of pod ${key} is not ready`,
            `kubectl logs -n ${pod.metadata.namespace} ${pod.metadata.name} -c ${proxyContainerName}`,
          ),
        ]),
    ...(proxyVersion === undefined || proxyVersion === version
      ? []
      : [
          warning(
            'data-plane',
            'SIDECAR_VERSION',
            `the sidecar of pod ${key} is ${proxyVersion}, the client ${version}`,
            again,
          ),
        ]),
    ...(roots === undefined || trustBundle === undefined || roots.trim() === trustBundle.trim()
      ? []
      : [
          failing(
            'data-plane',
            'TRUST_BUNDLE_OLD',
            `pod ${key} was made with other roots than the mesh has now: it cannot enrol anew`,
            again,
          ),
        ]),
    ...podAnnotationChecks(key, marks),
  ]
}

/** What the pods themselves show. */
export function podsChecks({ pods, namespaces, trustBundle }: ClusterFacts): readonly Check[] {
  const byName = new Map(namespaces.map((namespace) => [namespace.metadata.name, namespace]))
  const running = pods.filter(isRunning)
  const troubles = running.flatMap((pod) => podChecks(pod, byName.get(pod.metadata.namespace), trustBundle))
  const meshed = running.filter(isInjected).length
  return troubles.length > 0
    ? troubles
    : [
        good(
          'data-plane',
          'PODS_MESHED',
          `${meshed} of ${running.length} pods have a sidecar: all that should`,
        ),
      ]
}

const namedAtMost = 3
const isMissing = ({ id }: Check): boolean => id === 'SIDECAR_MISSING'

/** Where pods are not looked at one by one: those that should have a sidecar and were made without, past the webhook. */
export function unmeshedChecks({ pods, namespaces }: ClusterFacts): readonly Check[] {
  const byName = new Map(namespaces.map((namespace) => [namespace.metadata.name, namespace]))
  const missing = pods
    .filter(isRunning)
    .filter((pod) => podChecks(pod, byName.get(pod.metadata.namespace), '').some(isMissing))
    .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
  if (missing.length === 0) return []
  const names = missing.slice(0, namedAtMost).join(', ') + (missing.length > namedAtMost ? ' ...' : '')
  const text = `${missing.length} ${missing.length === 1 ? 'pod' : 'pods'} should have a sidecar, and have none: ${names}`
  return [failing('data-plane', 'SIDECARS_MISSING', text, `weft check --proxy names all; ${again}`)]
}

export function clusterChecks(facts: ClusterFacts, nowMs: number): readonly Check[] {
  return [
    ...installationChecks(facts),
    ...deploymentChecks(facts),
    ...bundleChecks(facts, nowMs),
    ...webhookChecks(facts, nowMs),
    ...facts.namespaces.flatMap(namespaceChecks),
  ]
}

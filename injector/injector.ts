/** Puts the injector together: certificate, trust bundle, webhook, admin. */
import { AdminServer } from '../core/admin-server.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { KubernetesClient } from '../core/kubernetes/api-client.ts'
import { findConnection } from '../core/kubernetes/connection.ts'
import type { Log } from '../core/log.ts'
import { createRegistry } from '../core/metrics.ts'
import { Shutdown } from '../core/shutdown.ts'
import { admit } from './admit.ts'
import { Namespaces } from './namespaces.ts'
import type { InjectorSettings } from './settings.ts'
import { TrustBundleSource } from './trust-bundle-source.ts'
import { WebhookIdentity } from './webhook-identity.ts'
import { registerWebhookMetrics } from './webhook-metrics.ts'
import { registerEverywhere } from './webhook-registration.ts'
import { registrations } from './webhook-registrations.ts'
import { WebhookServer } from './webhook-server.ts'

/** Admission waits for it, and the API server for admission. */
const apiTimeoutMs = 4_000

export type RunningInjector = {
  readonly webhookPort: number
  readonly adminPort: number
  readonly shutdown: Shutdown
}

/** The Service's name as the API server calls it, and the further ones. */
function dnsNames({ service, namespace, dnsNames: more }: InjectorSettings): readonly string[] {
  return [`${service}.${namespace}.svc`, `${service}.${namespace}.svc.cluster.local`, ...more]
}

/**
 * Starts everything; ready once the API server trusts the webhook and there is a trust bundle. Rejects with
 * CONFIG_INVALID, FILE_UNREADABLE, PORT_IN_USE or LISTEN_FAILED.
 */
export async function startInjector(
  settings: InjectorSettings,
  log: Log,
  env: Readonly<Record<string, string | undefined>>,
  clock: Clock = systemClock,
): Promise<RunningInjector> {
  const { kubeconfig, namespace } = settings
  const shutdown = new Shutdown({ log, clock })
  const connection = findConnection(kubeconfig === undefined ? env : { ...env, KUBECONFIG: kubeconfig })
  const api = new KubernetesClient(connection, clock, apiTimeoutMs)
  shutdown.add('API server', () => Promise.resolve(api.close()))
  const bundle = new TrustBundleSource({ api, namespace, name: settings.trustBundle, clock, log })
  const namespaces = new Namespaces(api, clock)
  const registry = createRegistry('injector')
  const server = new WebhookServer({
    log,
    metrics: registerWebhookMetrics(registry),
    admit: (request) =>
      admit(request, {
        namespaceOf: (name) => namespaces.of(name),
        plan: () => ({ ...settings, trustBundle: bundle.pem }),
      }),
  })
  const identity = await WebhookIdentity.make({
    dnsNames: dnsNames(settings),
    clock,
    log,
    register: (pem) => registerEverywhere(api, registrations(settings), pem, clock.wallMs()),
    onReplaced: (certificate) => server.replaceCertificate(certificate),
  })
  const { host, port } = settings.webhookAddress
  const webhookPort = await server.start(host, port, identity.certificate)
  shutdown.add('webhook', () => server.stop())
  const admin = new AdminServer({ ...settings.adminAddress, log, registry })
  admin.addCheck('certificate', () => identity.readiness())
  admin.addCheck('trust bundle', () => bundle.readiness())
  admin.addCheck('draining', () => (shutdown.started ? 'draining' : true))
  const { port: adminPort } = await admin.start()
  shutdown.add('admin', () => admin.stop())
  await Promise.all([bundle.start(), identity.start()])
  shutdown.add('certificate', () => {
    bundle.stop()
    identity.stop()
    return Promise.resolve()
  })
  shutdown.add(
    'propagation',
    () => new Promise<void>((resolve) => void setTimeout(resolve, settings.drainDelay)),
  )
  return { webhookPort, adminPort, shutdown }
}

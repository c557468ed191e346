/** Where the mesh, its root, and the judgement of tokens come from: folders, or the API server of a cluster. */
import { trustBundleName } from '../api/deployment.ts'
import { Backoff } from '../core/backoff.ts'
import type { Clock } from '../core/clock.ts'
import { failureFields, toWeftError, WeftError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { OutageLog } from '../core/outage-log.ts'
import type { Authenticator } from './ca/authenticator.ts'
import { ByIssuerAuthenticator } from './ca/by-issuer.ts'
import { openRoot, type Root } from './ca/root.ts'
import { openRootSecret, type SecretName } from './ca/root-secret.ts'
import { StateFolder } from './ca/state-folder.ts'
import { openTokenKey } from './ca/token-key.ts'
import { TokenReviewAuthenticator } from './ca/token-review.ts'
import { TokenAuthenticator } from './ca/token.ts'
import { publishTrustBundle } from './ca/trust-bundle-config-map.ts'
import { KubernetesClient } from '../core/kubernetes/api-client.ts'
import { findConnection, podNamespace } from '../core/kubernetes/connection.ts'
import { clusterTapAccess, type TapAccess } from './live/tap-access.ts'
import type { MeshModel } from './model/mesh-model.ts'
import type { Change } from './model/objects.ts'
import { DirectoryProvider } from './providers/directory/directory-provider.ts'
import type { Refusal } from './providers/kubernetes/object-store.ts'
import { KubernetesProvider } from './providers/kubernetes/kubernetes-provider.ts'
import type { Provider } from './providers/provider.ts'
import type { ControlPlaneSettings } from './settings.ts'
import { StatusReporter } from './status/status-reporter.ts'

export type Source = {
  readonly provider: Provider
  /** Rejects with a code of the state folder or the root; waits for an API server that is away. */
  readonly openRoot: () => Promise<Root>
  readonly authenticator: Authenticator
  /** Who may look at exchanges from elsewhere; undefined: nobody. */
  readonly tapAccess: TapAccess | undefined
  /** Where objects have a status; undefined: they have none. */
  readonly reportStatus: ((model: MeshModel) => StatusReporter) | undefined
}

type Environment = Readonly<Record<string, string | undefined>>
export type SourceOptions = {
  readonly settings: ControlPlaneSettings
  readonly clock: Clock
  readonly log: Log
  readonly env: Environment
  readonly onChanges: (changes: readonly Change[]) => void
  /** In a cluster: an object's newest form is refused. */
  readonly onRefused: (refusal: Refusal) => void
}

/** Throws CONFIG_INVALID, FILE_UNREADABLE, or a code of the state folder. */
export function openSource(options: SourceOptions): Source {
  const { settings } = options
  return settings.kubernetes
    ? kubernetesSource(options, settings.state)
    : directorySource(options, settings.config, settings.state)
}

function directorySource(options: SourceOptions, config: string, state: string): Source {
  const { settings, clock, log, onChanges } = options
  const folder = new StateFolder(state)
  return {
    provider: new DirectoryProvider({ folder: config, clock, log, onChanges }),
    openRoot: () => openRoot({ folder, trustDomain: settings.trustDomain, clock, log }),
    authenticator: signedTokens(folder, clock),
    tapAccess: undefined,
    reportStatus: undefined,
  }
}

function kubernetesSource(
  { settings, clock, log, env, onChanges, onRefused }: SourceOptions,
  state: string | undefined,
): Source {
  const client = new KubernetesClient(findConnection(env), clock)
  const reviewed = new TokenReviewAuthenticator({ client })
  const secret = secretName(settings.rootSecret, env)
  const { trustDomain } = settings
  const provider = new KubernetesProvider({ client, clock, log, onChanges, onRefused })
  return {
    provider,
    openRoot: async () => {
      const open = () => openRootSecret({ client, secret, trustDomain, clock, log })
      const root = await untilAnswered('root', open, clock, log)
      const bundle = { namespace: secret.namespace, name: trustBundleName }
      const publish = () => publishTrustBundle(client, bundle, root.certificatePem)
      // Only who injects needs it: nobody else waits for it.
      untilAnswered('trust bundle', publish, clock, log).catch((error: unknown) =>
        log.error(failureFields(error), 'the trust bundle could not be published'),
      )
      return root
    },
    authenticator:
      state === undefined
        ? reviewed
        : new ByIssuerAuthenticator(signedTokens(new StateFolder(state), clock), reviewed),
    tapAccess: clusterTapAccess(client),
    reportStatus: (model) =>
      new StatusReporter({
        client,
        clock,
        log,
        model,
        namespace: secret.namespace,
        refusals: () => provider.refusals,
      }),
  }
}

function signedTokens(folder: StateFolder, clock: Clock): Authenticator {
  return new TokenAuthenticator({ publicKey: openTokenKey(folder).publicKey, clock })
}

function secretName(text: string, env: Environment): SecretName {
  const [first = '', second, ...rest] = text.split('/')
  const namespace = second === undefined ? podNamespace(env) : first
  const name = second ?? first
  if (namespace === undefined || namespace === '' || name === '' || rest.length > 0) {
    throw new WeftError('CONFIG_INVALID', 'the settings are not usable', {
      detail: [`--root-secret: "${text}" must be NAMESPACE/NAME where this process does not run in a pod`],
    })
  }
  return { namespace, name }
}

/** An API server that is away, or has not got our roles yet, is no reason to end: nobody could restart us better. */
async function untilAnswered<T>(what: string, ask: () => Promise<T>, clock: Clock, log: Log): Promise<T> {
  // Sidecars wait for us: once the API server is back, what is left of a pause counts.
  const backoff = new Backoff({ baseMs: 500, maxMs: 1_000 })
  const outages = new OutageLog(log)
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!toWeftError(error).code.startsWith('KUBERNETES_')) throw error
      outages.failed(what, error, { what })
    }
    await new Promise<void>((resolve) => clock.after(backoff.nextMs(), resolve))
  }
}

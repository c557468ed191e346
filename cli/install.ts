/** `weft install` and `weft uninstall`: all of weft as plain YAML, for kubectl. */
import { weftNamespace } from '../api/deployment.ts'
import { convertedCrds } from '../api/smi.ts'
import { WeftError } from '../core/errors.ts'
import type { InstallOptions } from '../deploy/manifests/install-options.ts'
import { crdFiles, crdText, installManifests, toYaml } from '../deploy/manifests/manifests.ts'

function crds(): readonly string[] {
  return crdFiles().map((file) => crdText(file).trimEnd().concat('\n'))
}

const secretNameForm = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/

/** The name of a Secret beside weft. Throws CONFIG_INVALID; one elsewhere would need a right in that namespace. */
export function checkedSecretName(name: string | undefined): string | undefined {
  if (name === undefined || secretNameForm.test(name)) return name
  throw new WeftError('CONFIG_INVALID', `--issuer-secret: "${name}" is no name of a Secret`, {
    detail: [`it has to be in namespace ${weftNamespace}, and is named without it`],
  })
}

/** What `kubectl apply -f -` is given. CRDs come first, as the control plane looks for them. */
export function installText(options: InstallOptions): string {
  return [...crds(), toYaml(installManifests(options))].join('---\n')
}

const anyOptions: InstallOptions = {
  image: 'weft',
  imagePullPolicy: 'IfNotPresent',
  trustDomain: 'cluster.local',
  interception: 'init',
  ha: true,
}

/** CRDs that stay ask for conversions that nobody makes any more. */
function conversionNote(): string {
  const patch = JSON.stringify({ spec: { conversion: { strategy: 'None', webhook: null } } })
  const commands = convertedCrds.map((crd) => `# kubectl patch crd ${crd} --type=merge -p '${patch}'\n`)
  return `# The CRDs stay with all that users have written. For versions of SMI other than v1alpha4 to be read from then on:\n${commands.join('')}`
}

/**
 * What `kubectl delete -f -` is given. The webhook goes first, so that pods can be made while the rest is on its way out;
 * the namespace takes with it what is in it, also what weft has made itself. CRDs only with `withCrds`: they take all
 * policies and splits of users with them.
 */
export function uninstallText({ withCrds }: { readonly withCrds: boolean }): string {
  const named = installManifests(anyOptions)
    .filter(({ metadata }) => metadata.namespace === undefined)
    .map(({ apiVersion, kind, metadata: { name } }) => ({ apiVersion, kind, metadata: { name } }))
  const rank = ({ kind }: { readonly kind: string }): number =>
    ['MutatingWebhookConfiguration', 'ClusterRoleBinding', 'ClusterRole', 'Namespace'].indexOf(kind)
  const text = toYaml(named.toSorted((a, b) => rank(a) - rank(b)))
  const note = `# Pods keep their sidecars until they are made anew. Removes the namespace ${weftNamespace} with the root of the mesh's trust.\n`
  return withCrds ? [note + text, ...crds()].join('---\n') : note + conversionNote() + text
}

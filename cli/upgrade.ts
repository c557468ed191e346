/** `weft upgrade`: this version of weft with the settings of the one that is installed, and what that had and this has not. */
import { installRecordName, weftNamespace } from '../api/deployment.ts'
import { WeftError } from '../core/errors.ts'
import { version } from '../core/version.ts'
import type { InstallOptions, Manifest } from '../deploy/manifests/install-options.ts'
import { type Installed, readInstallRecord } from '../deploy/manifests/install-record.ts'
import { crdFiles, installManifests, toYaml } from '../deploy/manifests/manifests.ts'
import { partOfWeft } from '../deploy/manifests/meta.ts'
import { installText } from './install.ts'
import { kubectlGet } from './kubectl.ts'

/** Settings that are to be other ones than before. */
export type UpgradeChanges = Partial<Omit<InstallOptions, 'trustDomain' | 'issuerSecret'>>

/** Every kind that any version of weft was made of, and nothing that is made of these (pods, EndpointSlices). */
const kinds = [
  'mutatingwebhookconfigurations',
  'validatingwebhookconfigurations',
  'clusterrolebindings',
  'clusterroles',
  'rolebindings',
  'roles',
  'serviceaccounts',
  'deployments.apps',
  'daemonsets.apps',
  'services',
  'poddisruptionbudgets.policy',
  'networkpolicies.networking.k8s.io',
  'configmaps',
  'resourcequotas',
  'secrets',
] as const

const label = Object.entries(partOfWeft)
  .map(([key, value]) => `${key}=${value}`)
  .join()

/** An image that was tagged with the version before is now tagged with this one; any other stays. */
export function imageAfter(image: string, before: string): string {
  const tag = `:${before}`
  return image.endsWith(tag) ? `${image.slice(0, -tag.length)}:${version}` : image
}

/** The settings of what is installed, and the changes to them. */
export function upgradedOptions(installed: Installed, changes: UpgradeChanges): InstallOptions {
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))
  return { ...installed.options, image: imageAfter(installed.options.image, installed.version), ...given }
}

/** What `kubectl apply -f -` is given. */
export function upgradeText(installed: Installed, changes: UpgradeChanges): string {
  const options = upgradedOptions(installed, changes)
  const note = `# weft ${installed.version} -> ${version}, image ${options.image}\n`
  return note + installText(options)
}

function keyOf({ kind, metadata }: Manifest): string {
  return `${kind} ${metadata.name}`
}

/** Something of somebody else's may bear our label. */
function isNamedAsOurs({ metadata: { name } }: Manifest): boolean {
  return name === weftNamespace || name.startsWith(`${weftNamespace}-`)
}

/**
 * What `kubectl delete -f -` is given: the objects of weft in `found` that an installation with `options` does not have.
 * CRDs are only named, as what users have written goes with them.
 */
export function obsoleteText(options: InstallOptions, found: readonly Manifest[]): string {
  const wanted = new Set(installManifests(options).map(keyOf))
  const ours = new Set(crdFiles().map((file) => file.replace(/^(.*)_(.*)\.yaml$/, '$2.$1')))
  const isCrd = ({ kind }: Manifest): boolean => kind === 'CustomResourceDefinition'
  const crds = found.filter((object) => isCrd(object) && !ours.has(object.metadata.name))
  const notes = crds.map(
    ({ metadata: { name } }) =>
      `# CRD ${name} is none of weft's any more; this deletes all of its objects, too: kubectl delete crd ${name}\n`,
  )
  const gone = found
    .filter((object) => !isCrd(object) && isNamedAsOurs(object) && !wanted.has(keyOf(object)))
    .map(({ apiVersion, kind, metadata: { name, namespace } }) => ({
      apiVersion,
      kind,
      metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    }))
  // kubectl takes it for an error to be given nothing to delete.
  const list = gone.length > 0 ? toYaml(gone) : toYaml([{ apiVersion: 'v1', kind: 'List', items: [] }])
  return notes.join('') + list
}

/** What is installed in the cluster that kubectl leads to. Rejects with CONFIG_INVALID or KUBERNETES_FAILED. */
async function readInstalled(): Promise<Installed> {
  const [record] = await kubectlGet(['configmap', installRecordName, '-n', weftNamespace])
  if (record === undefined) {
    throw new WeftError(
      'CONFIG_INVALID',
      'weft is not installed, or by a version that kept no record of it',
      {
        detail: ['use weft install with the settings that it is to have'],
      },
    )
  }
  return readInstallRecord(record)
}

/** Manifests to apply, or with `obsolete` those to delete afterwards. Rejects with CONFIG_INVALID or KUBERNETES_FAILED. */
export async function describeUpgrade(
  changes: UpgradeChanges,
  { obsolete }: { readonly obsolete: boolean },
): Promise<string> {
  const installed = await readInstalled()
  if (!obsolete) return upgradeText(installed, changes)
  const resources = [...kinds, 'customresourcedefinitions'].join()
  const found = await kubectlGet([resources, '-n', weftNamespace, '-l', label])
  return obsoleteText(upgradedOptions(installed, changes), found as readonly Manifest[])
}

/** ServiceAccounts and their rights: each part has its own, and none that it does not use. */
import {
  controlPlaneName,
  injectorName,
  rootSecretName,
  tapAccountName,
  trustBundleName,
  weftNamespace,
} from '../../api/deployment.ts'
import { convertedCrds } from '../../api/smi.ts'
import { tapResource } from '../../api/token.ts'
import type { InstallOptions, Manifest } from './install-options.ts'
import { clusterWide, inWeft } from './meta.ts'

type Rule = {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
}

const rbac = 'rbac.authorization.k8s.io'

function serviceAccount(name: string): Manifest {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: inWeft(name) }
}

function role(name: string, kind: 'Role' | 'ClusterRole', rules: readonly Rule[]): Manifest {
  const metadata = kind === 'Role' ? inWeft(name) : clusterWide(name)
  return { apiVersion: `${rbac}/v1`, kind, metadata, rules }
}

function granted(name: string, kind: 'Role' | 'ClusterRole', rules: readonly Rule[]): readonly Manifest[] {
  const made = role(name, kind, rules)
  return [
    made,
    {
      apiVersion: `${rbac}/v1`,
      kind: `${kind}Binding`,
      metadata: made.metadata,
      roleRef: { apiGroup: rbac, kind, name },
      subjects: [{ kind: 'ServiceAccount', name, namespace: weftNamespace }],
    },
  ]
}

const watch = (group: string, ...resources: readonly string[]): Rule => ({
  apiGroups: [group],
  resources,
  verbs: ['list', 'watch'],
})

/** The one Secret that holds what it signs with: its own root, or the user's issuer, which it never writes. */
function signingSecret({ issuerSecret }: Pick<InstallOptions, 'issuerSecret'>): Rule {
  const rule = { apiGroups: [''], resources: ['secrets'] }
  return issuerSecret === undefined
    ? { ...rule, resourceNames: [rootSecretName], verbs: ['get', 'update'] }
    : { ...rule, resourceNames: [issuerSecret], verbs: ['get'] }
}

export function controlPlaneRights(options: Pick<InstallOptions, 'issuerSecret'> = {}): readonly Manifest[] {
  return [
    serviceAccount(controlPlaneName),
    ...granted(controlPlaneName, 'ClusterRole', [
      watch('', 'namespaces', 'nodes', 'services', 'pods'),
      watch('discovery.k8s.io', 'endpointslices'),
      watch('split.smi-spec.io', 'trafficsplits'),
      { apiGroups: ['split.smi-spec.io'], resources: ['trafficsplits'], verbs: ['get'] },
      { apiGroups: ['split.smi-spec.io'], resources: ['trafficsplits/status'], verbs: ['update'] },
      watch('specs.smi-spec.io', 'httproutegroups', 'tcproutes'),
      watch('gateway.networking.k8s.io', 'httproutes', 'grpcroutes', 'referencegrants'),
      { apiGroups: ['gateway.networking.k8s.io'], resources: ['httproutes', 'grpcroutes'], verbs: ['get'] },
      {
        apiGroups: ['gateway.networking.k8s.io'],
        resources: ['httproutes/status', 'grpcroutes/status'],
        verbs: ['update'],
      },
      watch('weft.dev', 'trafficpolicies', 'accesspolicies'),
      { apiGroups: ['weft.dev'], resources: ['trafficpolicies', 'accesspolicies'], verbs: ['get'] },
      {
        apiGroups: ['weft.dev'],
        resources: ['trafficpolicies/status', 'accesspolicies/status'],
        verbs: ['update'],
      },
      watch('access.smi-spec.io', 'traffictargets', 'identitybindings'),
      {
        apiGroups: ['access.smi-spec.io'],
        resources: ['traffictargets', 'identitybindings'],
        verbs: ['get'],
      },
      {
        apiGroups: ['access.smi-spec.io'],
        resources: ['traffictargets/status', 'identitybindings/status'],
        verbs: ['update'],
      },
      { apiGroups: [''], resources: ['events'], verbs: ['create', 'get', 'update'] },
      { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
      // Whether who wants to tap may.
      { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
    ]),
    // Both are there, empty, from the beginning: it needs no right to make others.
    ...granted(controlPlaneName, 'Role', [
      signingSecret(options),
      {
        apiGroups: [''],
        resources: ['configmaps'],
        resourceNames: [trustBundleName],
        verbs: ['get', 'update'],
      },
      {
        apiGroups: ['coordination.k8s.io'],
        resources: ['leases'],
        resourceNames: [controlPlaneName],
        verbs: ['get', 'update'],
      },
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
    ]),
  ]
}

export function injectorRights(): readonly Manifest[] {
  return [
    serviceAccount(injectorName),
    ...granted(injectorName, 'ClusterRole', [
      { apiGroups: [''], resources: ['namespaces'], verbs: ['get'] },
      {
        apiGroups: ['admissionregistration.k8s.io'],
        resources: ['mutatingwebhookconfigurations'],
        resourceNames: [injectorName],
        verbs: ['get', 'update'],
      },
      {
        apiGroups: ['apiextensions.k8s.io'],
        resources: ['customresourcedefinitions'],
        resourceNames: convertedCrds,
        verbs: ['get', 'update'],
      },
    ]),
    ...granted(injectorName, 'Role', [
      { apiGroups: [''], resources: ['configmaps'], resourceNames: [trustBundleName], verbs: ['get'] },
    ]),
  ]
}

const seeRules: readonly Rule[] = [
  { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
  { apiGroups: [''], resources: ['pods/proxy'], verbs: ['get'] },
]

/** For people: an administrator binds the Roles to those who may see the mesh, and those who may tap it. */
export function viewerRights(): readonly Manifest[] {
  const { group, resource } = tapResource
  return [
    serviceAccount(tapAccountName),
    ...granted(tapAccountName, 'ClusterRole', [
      { apiGroups: [group], resources: [resource], verbs: ['watch'] },
    ]),
    role('weft-viewer', 'Role', seeRules),
    role('weft-tapper', 'Role', [
      ...seeRules,
      {
        apiGroups: [''],
        resources: ['serviceaccounts/token'],
        resourceNames: [tapAccountName],
        verbs: ['create'],
      },
    ]),
  ]
}

/** What makes the API server ask the injector about new pods. */
import { annotations } from '../../api/annotations.ts'
import { injectorName, weftNamespace } from '../../api/deployment.ts'
import type { InstallOptions, Manifest } from './install-options.ts'
import { clusterWide } from './meta.ts'

/** Asking about these could keep the cluster, or weft itself, from coming up. */
const neverIn = ['kube-system', 'kube-public', 'kube-node-lease', weftNamespace]

/** The `caBundle` is the injector's own to fill and to keep. */
export function webhookConfiguration({ ha }: InstallOptions): Manifest {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: clusterWide(injectorName),
    webhooks: [
      {
        name: 'inject.weft.dev',
        admissionReviewVersions: ['v1'],
        clientConfig: {
          service: { name: injectorName, namespace: weftNamespace, path: '/inject', port: 443 },
        },
        rules: [
          {
            operations: ['CREATE'],
            apiGroups: [''],
            apiVersions: ['v1'],
            resources: ['pods'],
            scope: 'Namespaced',
          },
        ],
        // Alone it may be away for a moment, and pods are to start nevertheless; with replicas none is to slip through.
        failurePolicy: ha ? 'Fail' : 'Ignore',
        matchPolicy: 'Equivalent',
        sideEffects: 'None',
        reinvocationPolicy: 'IfNeeded',
        timeoutSeconds: 10,
        namespaceSelector: {
          matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: neverIn }],
        },
        // Who opts out by label is not even asked about: the way out when nothing else works.
        objectSelector: {
          matchExpressions: [{ key: annotations.inject, operator: 'NotIn', values: ['disabled'] }],
        },
      },
    ],
  }
}

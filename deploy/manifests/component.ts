/** One of weft's own processes in a cluster: its Deployment, its Service, and what keeps it up when nodes go. */
import { ports } from '../../api/ports.ts'
import type { InstallOptions, Manifest } from './install-options.ts'
import { inWeft, selectorOf } from './meta.ts'

export type Component = {
  readonly name: string
  readonly bundle: string
  readonly args: readonly string[]
  /** Beside the admin port. */
  readonly port: { readonly name: string; readonly servicePort: number; readonly containerPort: number }
  readonly memoryRequest: string
}

export const priorityClass = 'system-cluster-critical'

/** Not the sidecar's: these are no part of what is redirected. */
const uid = 2103
const replicasInHa = 3

const restricted = {
  allowPrivilegeEscalation: false,
  privileged: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
}

function probe(path: string, rest: object = {}): object {
  return { httpGet: { path, port: 'admin' }, ...rest }
}

function container({ name, bundle, args, port, memoryRequest }: Component, options: InstallOptions): object {
  return {
    name,
    image: options.image,
    imagePullPolicy: options.imagePullPolicy,
    command: ['node', `/weft/${bundle}.cjs`],
    args,
    ports: [
      { name: port.name, containerPort: port.containerPort },
      { name: 'admin', containerPort: ports.controlPlaneAdmin },
    ],
    livenessProbe: probe('/live', { periodSeconds: 10, timeoutSeconds: 5 }),
    readinessProbe: probe('/ready', { periodSeconds: 2 }),
    resources: { requests: { cpu: '100m', memory: memoryRequest } },
    securityContext: restricted,
    terminationMessagePolicy: 'FallbackToLogsOnError',
  }
}

/** Two on one node would be lost together. */
function spread(name: string): object {
  const term = { labelSelector: { matchLabels: selectorOf(name) } }
  const zone = {
    weight: 100,
    podAffinityTerm: { ...term, topologyKey: 'topology.kubernetes.io/zone' },
  }
  return {
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [{ ...term, topologyKey: 'kubernetes.io/hostname' }],
        preferredDuringSchedulingIgnoredDuringExecution: [zone],
      },
    },
  }
}

function deployment(component: Component, options: InstallOptions): Manifest {
  const { name } = component
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: inWeft(name, selectorOf(name)),
    spec: {
      replicas: options.ha ? replicasInHa : 1,
      selector: { matchLabels: selectorOf(name) },
      strategy: { rollingUpdate: { maxUnavailable: options.ha ? 1 : 0, maxSurge: options.ha ? 0 : 1 } },
      template: {
        metadata: {
          labels: selectorOf(name),
          annotations: { 'weft.dev/inject': 'disabled' },
        },
        spec: {
          serviceAccountName: name,
          priorityClassName: priorityClass,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: uid,
            runAsGroup: uid,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          ...(options.ha ? spread(name) : {}),
          containers: [container(component, options)],
        },
      },
    },
  }
}

function service({ name, port }: Component): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: inWeft(name),
    spec: {
      selector: selectorOf(name),
      ports: [{ name: port.name, port: port.servicePort, targetPort: port.name }],
    },
  }
}

function disruptionBudget({ name }: Component): Manifest {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: inWeft(name),
    spec: { maxUnavailable: 1, selector: { matchLabels: selectorOf(name) } },
  }
}

/** Anybody may talk to its ports: sidecars and the API server are everywhere. Nothing else of it can be reached. */
function networkPolicy({ name, port }: Component): Manifest {
  const open = [port.containerPort, ports.controlPlaneAdmin]
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: inWeft(name),
    spec: {
      podSelector: { matchLabels: selectorOf(name) },
      policyTypes: ['Ingress'],
      ingress: [{ ports: open.map((number) => ({ protocol: 'TCP', port: number })) }],
    },
  }
}

/** All objects of a component but its rights. */
export function componentManifests(component: Component, options: InstallOptions): readonly Manifest[] {
  return [
    deployment(component, options),
    service(component),
    ...(options.ha ? [disruptionBudget(component)] : []),
    networkPolicy(component),
  ]
}

/** A mesh for tests of injection. */
import type { NamespaceMetadata } from './decide.ts'
import type { SidecarPlan } from './sidecar-plan.ts'

export const testPlan: SidecarPlan = {
  image: 'example.org/weft:1',
  imagePullPolicy: 'IfNotPresent',
  controlPlane: 'weft-control-plane.weft.svc:8086',
  trustBundle: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
  trustDomain: 'cluster.local',
  interception: 'init',
}

export const enabled: NamespaceMetadata = { annotations: { 'weft.dev/inject': 'enabled' }, labels: {} }
export const silent: NamespaceMetadata = { annotations: {}, labels: {} }

/** Names of weft's own objects in a cluster, by which its parts find each other. */
import { version } from '../core/version.ts'
import { ports } from './ports.ts'

export const weftNamespace = 'weft'
export const controlPlaneName = 'weft-control-plane'
export const injectorName = 'weft-injector'
/** The ConfigMap in `weftNamespace` that holds, for everybody to read, what the control plane is trusted by. */
export const trustBundleName = 'weft-trust-bundle'
export const trustBundleKey = 'root-cert.pem'
/** The Secret with the root of the mesh's trust; the control plane's alone. */
export const rootSecretName = 'weft-root'
/** The ConfigMap in `weftNamespace` that says what weft was installed with. */
export const installRecordName = 'weft-install'
/** The ServiceAccount in `weftNamespace` that may look at the exchanges of all namespaces, and the ClusterRole to do so. */
export const tapAccountName = 'weft-tap'

/** The sidecar's container in a pod. */
export const proxyContainerName = 'weft-proxy'
/** That of the container that redirects its connections, where no CNI plugin does. */
export const initContainerName = 'weft-init'

export const defaultImage = `weft:${version}`
export const defaultControlPlane = `${controlPlaneName}.${weftNamespace}.svc:${ports.controlPlaneGrpc}`

/** The container that runs `weft init` before all others, where no CNI plugin does its work. Pure. */
import { initContainerName } from '../api/deployment.ts'
import type { Container } from './pod.ts'
import type { PodSettings } from './pod-settings.ts'
import { securityContext } from './proxy-container.ts'
import type { SidecarPlan } from './sidecar-plan.ts'

/** `nobody`: iptables has its rights by the file's capabilities, so that nothing has to run as root. */
const initUid = 65_534

/** The container; only its iptables gets NET_ADMIN and NET_RAW. */
export function initContainer(plan: SidecarPlan, settings: PodSettings): Container {
  const { inboundPort, outboundPort, adminPort, proxyUid, initFlags, resources } = settings
  return {
    name: initContainerName,
    image: plan.image,
    imagePullPolicy: plan.imagePullPolicy,
    command: ['node', '/weft/init.cjs'],
    args: [
      `--inbound-port=${inboundPort}`,
      `--outbound-port=${outboundPort}`,
      `--admin-port=${adminPort}`,
      `--proxy-uid=${proxyUid}`,
      ...initFlags,
    ],
    // iptables-legacy wants to lock a file that nobody could make; in a pod's own network nobody competes.
    env: [{ name: 'XTABLES_LOCKFILE', value: '/dev/null' }],
    // As the sidecar: it has ended when that starts, so the pod asks for no more, and a quota on limits finds some. A copy,
    // as YAML makes a reference of what is there twice.
    resources: structuredClone(resources),
    securityContext: {
      ...securityContext(initUid),
      // Without it the kernel ignores the capabilities of a file.
      allowPrivilegeEscalation: true,
      capabilities: { drop: ['ALL'], add: ['NET_ADMIN', 'NET_RAW'] },
    },
    terminationMessagePolicy: 'FallbackToLogsOnError',
  }
}

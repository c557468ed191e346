/** What `weft install` makes, in a real API server, and the control plane of it as a process on this machine. */
import { freePorts } from '../../cli/demo/ports.ts'
import { installText } from '../../cli/install.ts'
import { accountKubeconfig } from './account-kubeconfig.ts'
import type { ApiServer } from './api-server.ts'
import { ClusterControlPlane } from './cluster-control-plane.ts'

/** This machine's, as pods reach it. */
export const planeAddress = '10.244.0.1'

/** Gives the kubeconfig of the control plane's account, in `folder`. */
export async function installWeft(server: ApiServer, folder: string): Promise<string> {
  await server.apply(
    installText({
      image: 'weft:test',
      imagePullPolicy: 'IfNotPresent',
      trustDomain: 'cluster.local',
      interception: 'init',
      ha: false,
    }),
  )
  await server.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } }))
  return accountKubeconfig(server, 'weft-control-plane', folder)
}

/** The control plane, where its pod is said to be. */
export async function startInstalledPlane(account: string): Promise<ClusterControlPlane> {
  const [grpcPort = 0] = await freePorts(1)
  const plane = await ClusterControlPlane.start(account, { grpcPort, adminPort: 9990 })
  await plane.untilReady()
  return plane
}

/** We are the kubelet: the one pod that the Deployment made is ready at `ip`, or is not. */
export async function setInstalledPod(
  server: ApiServer,
  component: string,
  ip: string,
  ready: 'True' | 'False',
): Promise<void> {
  const selector = `app.kubernetes.io/name=${component}`
  const name = (await server.kubectl(['get', 'pods', '-n', 'weft', '-l', selector, '-o', 'name'])).trim()
  const conditions = [{ type: 'Ready', status: ready }]
  const status = { phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions }
  const args = ['patch', name, '-n', 'weft', '--subresource=status', '-p', JSON.stringify({ status })]
  await server.kubectl(args)
}

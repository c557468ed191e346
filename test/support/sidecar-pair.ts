/** A mesh of three real parts: a control plane, `web`'s sidecar and, behind mesh mTLS, the sidecar of one application. */
import { freePorts } from '../../cli/demo/ports.ts'
import { meshedServiceYaml } from './meshed-service.ts'
import { removeFolder, startTestControlPlane, type TestControlPlane } from './running-control-plane.ts'
import { podYaml, type SidecarProcess, startSidecar } from './sidecar-process.ts'

export type SidecarPair = {
  readonly plane: TestControlPlane
  /** Where `web` reaches its sidecar; `orders.shop:8080` leads to the application. */
  readonly outbound: SidecarProcess
  readonly inbound: SidecarProcess
  /** Where the inbound sidecar takes connections. */
  readonly listenPort: number
  readonly stop: () => Promise<void>
}

export type SidecarPairOptions = {
  /** Of both sidecars. */
  readonly settings?: readonly string[]
  readonly appProtocol?: string
  /** Further files of the mesh. */
  readonly files?: Readonly<Record<string, string>>
}

/** Everything that reaches the application on `applicationPort` has come through both sidecars. */
export async function startSidecarPair(
  applicationPort: number,
  { settings = [], appProtocol, files = {} }: SidecarPairOptions = {},
): Promise<SidecarPair> {
  const [listenPort = 0] = await freePorts(1)
  const orders = { name: 'orders', appProtocol, listenPort, applicationPort }
  const plane = await startTestControlPlane({
    'mesh.yaml': `${meshedServiceYaml(orders)}---\n${podYaml}`,
    ...files,
  })
  const [outbound, inbound] = await Promise.all([
    startSidecar(plane, { settings }),
    startSidecar(plane, { workload: 'orders', settings }),
  ])
  return {
    plane,
    outbound,
    inbound,
    listenPort,
    stop: async () => {
      await Promise.all([outbound.stop(), inbound.stop()])
      await plane.stop()
      removeFolder(plane.folder)
    },
  }
}

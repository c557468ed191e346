/** Why there is nothing to see yet. */
import type { MeshData } from '../data/use-mesh.ts'
import { Empty } from '../parts/empty.tsx'

export function NoTraffic({ data }: { readonly data: MeshData }) {
  const { mesh, connection } = data
  if (mesh === undefined) {
    return connection.state === 'lost' ? (
      <Empty title="Nothing is known yet">
        The control plane has not answered since this page was opened.
      </Empty>
    ) : (
      <p class="loading">Waiting for the first figures …</p>
    )
  }
  if (mesh.sidecars.length === 0) {
    return (
      <Empty title="No sidecar is connected">
        Opt a namespace in with the annotation <code>weft.dev/inject: enabled</code> and restart its pods, or
        see <code>weft check</code>.
      </Empty>
    )
  }
  return (
    <Empty title="No traffic in the last minutes">
      {mesh.sidecars.length === 1 ? 'One sidecar is' : `${mesh.sidecars.length} sidecars are`} connected. What
      they send appears here within seconds.
    </Empty>
  )
}

/** `GET /live/tap`: exchanges as JSON lines, for programs on this machine; in a cluster that is who may forward ports. */
import type { AdminServer } from '../../core/admin-server.ts'
import type { TapBroker } from './tap-broker.ts'
import { parseTapQuery } from './tap-query.ts'

/** A viewer that does not read loses what is above this, and is told. */
const maxUnreadBytes = 1024 * 1024
const notLocal =
  'a tap is for programs on the machine of the control plane; in a cluster: kubectl -n weft port-forward deploy/weft-control-plane 9990\n'

export function addTapPage(admin: AdminServer, taps: TapBroker): void {
  admin.page('GET', '/live/tap', ({ query, isLocal }) => {
    if (!isLocal) return { status: 403, body: notLocal }
    const parsed = parseTapQuery(query)
    if (typeof parsed === 'string') return { status: 400, body: `${parsed}\n` }
    return {
      contentType: 'application/jsonl',
      stream: (response) => {
        const viewer = taps.watch(parsed, (line) => {
          if (response.writableLength > maxUnreadBytes) return false
          response.write(`${JSON.stringify(line)}\n`)
          return true
        })
        if (viewer === undefined) response.end(`${JSON.stringify({ error: 'too many look already' })}\n`)
        else response.on('close', () => taps.unwatch(viewer))
      },
    }
  })
}

/** `GET /live/tap`: exchanges as JSON lines, for programs on this machine, and in a cluster for those whom RBAC allows it. */
import { tapTokenHeader } from '../../api/token.ts'
import type { AdminReply, AdminRequest, AdminServer, AdminStream } from '../../core/admin-server.ts'
import { failureFields } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { TapAccess } from './tap-access.ts'
import { maxViewers, type TapBroker } from './tap-broker.ts'
import { parseTapQuery, type TapQuery } from './tap-query.ts'

export type TapPageParts = {
  readonly taps: TapBroker
  readonly log: Log
  /** undefined: nobody but programs on this machine. */
  readonly access: TapAccess | undefined
}

/** A viewer that does not read loses what is above this, and is told. */
const maxUnreadBytes = 1024 * 1024
/** Each is two questions to the API server, and whoever reaches this port can ask. */
const mostReviewsAtOnce = 8
const notLocal =
  'a tap is for programs on the machine of the control plane, and in a cluster for those who may: weft tap --kubeconfig FILE\n'

export function addTapPage(admin: AdminServer, { taps, log, access }: TapPageParts): void {
  let reviewing = 0
  /** undefined: they may. */
  const refusal = async (request: AdminRequest, query: TapQuery): Promise<AdminReply | undefined> => {
    const token = request.header(tapTokenHeader)
    if (request.isLocal) return undefined
    if (token === undefined || access === undefined) return { status: 403, body: notLocal }
    if (reviewing >= mostReviewsAtOnce) return { status: 503, body: 'too many ask at once\n' }
    reviewing++
    try {
      const account = await access(token, query.namespace)
      log.info({ account, query }, 'a tap begins')
      return undefined
    } catch (error) {
      const failure = failureFields(error)
      log.warn(failure, 'a tap is refused')
      return { status: statusOf(failure.code), body: `${failure.reason}\n` }
    } finally {
      reviewing--
    }
  }
  admin.page('GET', '/live/tap', async (request) => {
    const query = parseTapQuery(request.query)
    if (typeof query === 'string') return { status: 400, body: `${query}\n` }
    return (await refusal(request, query)) ?? streamOf(taps, query)
  })
}

function statusOf(code: string): number {
  if (code.startsWith('TOKEN_')) return 401
  return code === 'TAP_REFUSED' ? 403 : 503
}

function streamOf(taps: TapBroker, query: TapQuery): AdminReply | AdminStream {
  if (taps.viewers >= maxViewers) return { status: 503, body: 'too many look already\n' }
  return {
    contentType: 'application/jsonl',
    stream: (response) => {
      const viewer = taps.watch(query, (line) => {
        if (response.writableLength > maxUnreadBytes) return false
        response.write(`${JSON.stringify(line)}\n`)
        return true
      })
      // Somebody else was quicker.
      if (viewer === undefined) response.destroy()
      else response.on('close', () => taps.unwatch(viewer))
    },
  }
}

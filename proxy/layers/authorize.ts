/** Lets through what the rules of a port allow, before anything of it reaches the application. Absent unless there are rules. */
import { errorCodes, WeftError } from '../../core/errors.ts'
import type { AccessTable } from '../authz/access-table.ts'
import type { CompiledRule } from '../authz/compiled-rule.ts'
import type { PeerAccess } from '../authz/peer-access.ts'
import type { Exchange } from '../exchange.ts'
import { maskOf } from '../header-list.ts'
import type { Layer } from '../layer.ts'
import { type ReadablePath, readablePath } from '../route/readable-path.ts'
import type { AccessStats } from '../telemetry/access-stats.ts'

// Made once: what is refused may come often.
const denied = new WeftError('REQUEST_DENIED', errorCodes.REQUEST_DENIED.summary)
const ambiguous = new WeftError('PATH_AMBIGUOUS', errorCodes.PATH_AMBIGUOUS.summary)

/** Fields that some frameworks take for the path: what they say has to be what the target says. */
const pathFields = ['x-original-url', 'x-rewrite-url'] as const
const pathFieldsMask = maskOf(pathFields)

function isElsewhere(text: string, read: string): boolean {
  const path = text.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '')
  return readablePath(path === '' ? '/' : path)?.read !== read
}

/** Throws PATH_AMBIGUOUS. */
function checkPathFields({ headers }: Exchange, { read }: ReadablePath): void {
  if (!headers.mayHave(pathFieldsMask)) return
  const said = pathFields.flatMap((name) => headers.spelled(name))
  if (said.some((text) => isElsewhere(text, read))) throw ambiguous
}

/** The path as the application will read it, and as it is sent from here on. Throws PATH_AMBIGUOUS. */
function takePath(x: Exchange): ReadablePath {
  const { target } = x
  const query = target.indexOf('?')
  const path = query === -1 ? target : target.slice(0, query)
  const readable = readablePath(path)
  if (readable === undefined) throw ambiguous
  checkPathFields(x, readable)
  const { sent } = readable
  if (sent !== path) x.target = query === -1 ? sent : sent + target.slice(query)
  return readable
}

/** Where what a rule decided of a peer is counted. */
export type StatsOf = (rule: CompiledRule, peer: PeerAccess) => AccessStats

export function authorize(table: AccessTable, statsOf: StatsOf): Layer {
  return (next) =>
    function checkAccess(x, receiver) {
      const { downstream } = x
      const path = table.readsPaths ? takePath(x) : undefined
      let peer = downstream.access
      if (peer?.table !== table) {
        peer = table.forPeer({ principal: downstream.principal, address: downstream.peerAddress })
        downstream.access = peer
      }
      const view = table.viewOf(peer, path)
      const audited = peer.audited(x, view)
      if (audited !== undefined) {
        x.auditRule = audited.name
        statsOf(audited, peer).audited++
      }
      const rule = peer.decide(x, view)
      x.accessRule = rule.name
      const stats = statsOf(rule, peer)
      if (rule.action === 'deny') {
        stats.denied++
        throw denied
      }
      stats.allowed++
      next(x, receiver)
    }
}

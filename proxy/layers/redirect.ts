/** Answers with the place where the client has to go instead; innermost, since nothing is sent anywhere. */
import { Body } from '../body.ts'
import { type Exchange, type Handler, Reply } from '../exchange.ts'
import { HeaderList } from '../header-list.ts'
import { statusText } from '../http1/status-text.ts'
import { pathRewriter } from '../route/path-rewrite.ts'
import type { Redirect } from '../route/route-rule.ts'

const defaultPorts = { http: '80', https: '443' } as const

/** Host and port (empty: none) of `host[:port]`. */
function splitAuthority(authority: string): readonly [host: string, port: string] {
  const colon = authority.lastIndexOf(':')
  if (colon <= authority.lastIndexOf(']')) return [authority, '']
  return [authority.slice(0, colon), authority.slice(colon + 1)]
}

/** The whole URL, as clients differ on parts of one; a port that its scheme implies is left out. */
function locationOf({ scheme, host, port, path, dropQuery }: Redirect): (x: Exchange) => string {
  const rewritten = path === undefined ? undefined : pathRewriter(path)
  const shownScheme = scheme ?? 'http'
  return (x) => {
    const [ownHost, ownPort] = splitAuthority(x.authority)
    // The request's port belongs to its own host and scheme.
    const kept = host === undefined && scheme === undefined ? ownPort : ''
    const wanted = port === undefined ? kept : String(port)
    const shownPort = wanted === '' || wanted === defaultPorts[shownScheme] ? '' : `:${wanted}`
    const target = rewritten === undefined ? x.target : rewritten(x.target)
    const where = dropQuery ? (target.split('?', 1)[0] as string) : target
    return `${shownScheme}://${host ?? ownHost}${shownPort}${where}`
  }
}

export function redirect(rule: Redirect): Handler {
  const location = locationOf(rule)
  const { status } = rule
  const reason = statusText(status)
  return function redirectClient(x, receiver) {
    const headers = HeaderList.of('Location', location(x), 'Content-Length', '0')
    receiver.onReply(x, new Reply(status, reason, headers, Body.empty))
  }
}

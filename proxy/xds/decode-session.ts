/** How a route keeps sessions: Envoy's stateful_session, and what it has no field for. */
import { unpackAs } from '../../api/xds/codec.ts'
import { statefulSessionFilter, weftMetadata } from '../../api/xds/naming.ts'
import { fromStruct } from '../../api/xds/struct.ts'
import type { Any, Route } from '../../api/xds/types.ts'
import { fieldNameProblem, pathProblem } from '../../core/http-field.ts'
import type { SessionRule } from '../route/route-rule.ts'
import { durationMs } from './duration.ts'
import type { Problems } from './problems.ts'

const sessionName = 'envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute'
const cookieName = 'envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState'
const headerName = 'envoy.extensions.http.stateful_session.header.v3.HeaderBasedSessionState'

function checkedName(name: string, path: string, problems: Problems): string {
  const problem = fieldNameProblem(name)
  if (problem !== undefined) problems.add(path, problem)
  return name
}

/** What Envoy has no field for stands in the route's own metadata. */
function sessionTimeouts(route: Route): Pick<SessionRule, 'absoluteTimeoutMs' | 'idleTimeoutMs'> {
  const facts = fromStruct(route.metadata?.filterMetadata?.[weftMetadata])
  const ms = (name: string): number | undefined =>
    typeof facts[name] === 'number' && facts[name] > 0 ? facts[name] : undefined
  return { absoluteTimeoutMs: ms('sessionAbsoluteTimeoutMs'), idleTimeoutMs: ms('sessionIdleTimeoutMs') }
}

function sessionState(
  state: Any | undefined,
  path: string,
  problems: Problems,
): Pick<SessionRule, 'kind' | 'name' | 'path' | 'maxAgeMs'> | undefined {
  const header = unpackAs(headerName, state)
  if (header !== undefined) {
    const { name = '' } = header
    return {
      kind: 'header',
      name: checkedName(name, `${path}.name`, problems),
      path: '/',
      maxAgeMs: undefined,
    }
  }
  const cookie = unpackAs(cookieName, state)?.cookie
  if (cookie === undefined) {
    problems.add(path, 'must be a cookie or a header')
    return undefined
  }
  const { name = '' } = cookie
  const cookiePath = cookie.path === undefined || cookie.path === '' ? '/' : cookie.path
  const problem = pathProblem(cookiePath)
  if (problem !== undefined) problems.add(`${path}.cookie.path`, problem)
  // It would end the attribute.
  if (cookiePath.includes(';')) problems.add(`${path}.cookie.path`, 'must not hold a semicolon')
  return {
    kind: 'cookie',
    name: checkedName(name, `${path}.cookie.name`, problems),
    path: cookiePath,
    maxAgeMs: durationMs(cookie.ttl),
  }
}

/** How sessions are kept; undefined when they are not. */
export function decodeSession(route: Route, path: string, problems: Problems): SessionRule | undefined {
  const here = `${path}.typed_per_filter_config["${statefulSessionFilter}"]`
  const settings = unpackAs(sessionName, route.typedPerFilterConfig?.[statefulSessionFilter])
  if (settings?.statefulSession === undefined) return undefined
  if (settings.statefulSession.strict === true)
    problems.add(`${here}.stateful_session.strict`, 'is not supported')
  const state = sessionState(
    settings.statefulSession.sessionState?.typedConfig,
    `${here}.stateful_session.session_state`,
    problems,
  )
  return state === undefined ? undefined : { ...state, ...sessionTimeouts(route) }
}

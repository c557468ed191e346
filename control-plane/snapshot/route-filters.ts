/** What a rule changes -> the fields that Envoy has for it. */
import { pack } from '../../api/xds/codec.ts'
import { serviceResourceName, statefulSessionFilter, wholePathPattern } from '../../api/xds/naming.ts'
import type { Json } from '../../api/xds/struct.ts'
import type {
  ClusterWeight,
  HeaderValueOption,
  RedirectAction,
  RegexMatchAndSubstitute,
  Route,
  RouteAction,
  RuntimeFractionalPercent,
} from '../../api/xds/types.ts'
import type { RouteMatch } from '../model/objects.ts'
import type { Fraction, HeaderField, HeaderModifier, PathModifier, RedirectSettings } from '../model/route.ts'
import type { Backend, Rule, RuleFilters } from '../model/rule.ts'
import type { ClientKind } from './client-kind.ts'
import { durationOf } from './duration.ts'

export function backendName({ key, port }: Backend): string {
  const [namespace, service] = key.split('/') as [string, string]
  return serviceResourceName(service, namespace, port)
}

/** Envoy reads a value as a format: a percent sign is written twice. */
function option(
  { name: key, value }: HeaderField,
  appendAction: 'OVERWRITE_IF_EXISTS_OR_ADD' | 'APPEND_IF_EXISTS_OR_ADD',
): HeaderValueOption {
  return { header: { key, value: value.replaceAll('%', '%%') }, appendAction }
}

function additions({ set, add }: HeaderModifier): readonly HeaderValueOption[] {
  return [
    ...set.map((field) => option(field, 'OVERWRITE_IF_EXISTS_OR_ADD')),
    ...add.map((field) => option(field, 'APPEND_IF_EXISTS_OR_ADD')),
  ]
}

type HeaderFields = Pick<
  Route & ClusterWeight,
  'requestHeadersToAdd' | 'requestHeadersToRemove' | 'responseHeadersToAdd' | 'responseHeadersToRemove'
>

/** The same fields on a route and on a cluster of its own. */
export function headerFields(filters: RuleFilters | undefined): HeaderFields {
  const request = filters?.requestHeaders
  const response = filters?.responseHeaders
  return {
    ...(request && { requestHeadersToAdd: additions(request), requestHeadersToRemove: request.remove }),
    ...(response && { responseHeadersToAdd: additions(response), responseHeadersToRemove: response.remove }),
  }
}

/** The nearest of what Envoy can count in. */
export function fractionOf({ numerator, denominator }: Fraction): RuntimeFractionalPercent {
  const hundredths = (numerator * 100) / denominator
  if (Number.isInteger(hundredths)) return { defaultValue: { numerator: hundredths, denominator: 'HUNDRED' } }
  const millionths = Math.round((numerator * 1e6) / denominator)
  return { defaultValue: { numerator: millionths, denominator: 'MILLION' } }
}

type PathFields = {
  readonly prefixRewrite?: string
  readonly regexRewrite?: RegexMatchAndSubstitute
}

/**
 * A sidecar replaces whole elements; Envoy replaces bytes, and would leave two slashes, or none, where the one or the
 * other side of a prefix has none.
 */
function prefixFields(value: string, match: RouteMatch | undefined, kind: ClientKind): PathFields {
  const to = value === '' ? '/' : value
  if (kind === 'sidecar') return { prefixRewrite: to }
  const matched = (match?.path.value ?? '/').replace(/\/$/, '')
  const base = to.replace(/\/$/, '')
  if (base !== '' && matched !== '') return { prefixRewrite: base }
  const literal = matched.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return { regexRewrite: { pattern: { regex: `^${literal}/*` }, substitution: `${base}/` } }
}

function pathFields(
  path: PathModifier | undefined,
  match: RouteMatch | undefined,
  kind: ClientKind,
): PathFields {
  if (path === undefined) return {}
  if (path.kind === 'prefix') return prefixFields(path.value, match, kind)
  return { regexRewrite: { pattern: { regex: wholePathPattern }, substitution: path.value } }
}

/** What changes where a request goes, and where its copies do. */
export function actionFields(
  filters: RuleFilters | undefined,
  match: RouteMatch | undefined,
  kind: ClientKind,
): RouteAction {
  if (filters === undefined) return {}
  const { host, path, mirrors } = filters
  return {
    ...pathFields(path, match, kind),
    ...(host !== undefined && { hostRewriteLiteral: host }),
    ...(mirrors.length > 0 && {
      requestMirrorPolicies: mirrors.map(({ backend, fraction }) => ({
        cluster: backendName(backend),
        runtimeFraction: fractionOf(fraction),
        disableShadowHostSuffixAppend: true,
      })),
    }),
  }
}

const responseCodes = {
  301: 'MOVED_PERMANENTLY',
  302: 'FOUND',
  303: 'SEE_OTHER',
  307: 'TEMPORARY_REDIRECT',
  308: 'PERMANENT_REDIRECT',
} as const

const standardPorts = { http: 80, https: 443 } as const

export function redirectAction(
  { scheme, host, port, path, status }: RedirectSettings,
  match: RouteMatch | undefined,
  kind: ClientKind,
): RedirectAction {
  // Envoy writes every port that it is given, the scheme's own too; but it leaves one out with a host of ours.
  const implied = kind === 'envoy' && host !== undefined && port === standardPorts[scheme ?? 'http']
  const where = path?.kind === 'full' ? { pathRedirect: path.value } : pathFields(path, match, kind)
  return {
    ...where,
    ...(scheme !== undefined && { schemeRedirect: scheme }),
    ...(host !== undefined && { hostRedirect: host }),
    ...(port !== undefined && !implied && { portRedirect: port }),
    responseCode: responseCodes[status],
  }
}

/** Where a cookie belongs: below what was matched, as far as that is not a pattern (GEP-1619). */
function cookiePath(match: RouteMatch | undefined): string {
  if (match === undefined) return '/'
  const { kind, value } = match.path
  if (kind !== 'regex') return value
  const literal = /^(?:\/[-0-9A-Za-z_~]+)+(?=\/)/.exec(value)
  return literal === null ? '/' : literal[0]
}

/** How sessions are kept, and what of it Envoy has no field for. */
export function sessionFields({ session, match }: Rule): {
  readonly typedPerFilterConfig?: Route['typedPerFilterConfig']
  readonly facts: { readonly [key: string]: Json }
} {
  if (session === undefined) return { facts: {} }
  const { kind, name = '', absoluteTimeoutMs, idleTimeoutMs, permanent } = session
  const ttl = permanent && absoluteTimeoutMs !== undefined ? { ttl: durationOf(absoluteTimeoutMs) } : {}
  const state =
    kind === 'header'
      ? pack('envoy.extensions.http.stateful_session.header.v3.HeaderBasedSessionState', { name })
      : pack('envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState', {
          cookie: { name, path: cookiePath(match), ...ttl },
        })
  const sessionState = { name: `envoy.http.stateful_session.${kind}`, typedConfig: state }
  return {
    typedPerFilterConfig: {
      [statefulSessionFilter]: pack(
        'envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute',
        { statefulSession: { sessionState } },
      ),
    },
    facts: {
      ...(absoluteTimeoutMs !== undefined && { sessionAbsoluteTimeoutMs: absoluteTimeoutMs }),
      ...(idleTimeoutMs !== undefined && { sessionIdleTimeoutMs: idleTimeoutMs }),
    },
  }
}

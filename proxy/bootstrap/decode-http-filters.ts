/**
 * The HTTP filters of a listener, and what virtual hosts and routes say of them in their place: the nearest counts. What
 * cannot be honoured is refused with its path.
 */
import { unpackAs } from '../../api/xds/codec.ts'
import { faultFilter } from '../../api/xds/naming.ts'
import type {
  Any,
  HttpConnectionManager,
  HttpFault,
  LocalRateLimit,
  Route,
  RouteConfiguration,
  VirtualHost,
} from '../../api/xds/types.ts'
import type { RuleLimit, VirtualHostRules } from '../route/route-rule.ts'
import { decodeLimit, limitName } from '../xds/decode-rate-limit.ts'
import { decodeFault, faultName } from '../xds/decode-route-policy.ts'
import type { Problems } from '../xds/problems.ts'

const routerName = 'envoy.extensions.filters.http.router.v3.Router'

/** One filter: what it is called, and what it does where nobody nearer says otherwise. */
type Filter = { readonly name: string; readonly path: string; readonly config: Any | undefined }
export type HttpFilters = { readonly faults: readonly Filter[]; readonly limits: readonly Filter[] }
type PerFilter = Route['typedPerFilterConfig']

export function decodeHttpFilters(
  { httpFilters = [] }: HttpConnectionManager,
  path: string,
  problems: Problems,
): HttpFilters {
  const faults: Filter[] = []
  const limits: Filter[] = []
  for (const [i, { name = '', typedConfig: config }] of httpFilters.entries()) {
    const here = `${path}.http_filters[${i}]`
    const filter = { name, path: `${here}.typed_config`, config }
    if (unpackAs(faultName, config) !== undefined) faults.push(filter)
    else if (unpackAs(limitName, config) !== undefined) limits.push(filter)
    else if (unpackAs(routerName, config) === undefined)
      problems.add(here, `${name === '' ? 'a filter' : name} is not supported`)
  }
  if (faults.length > 1) problems.add(`${path}.http_filters`, 'holds more than one fault filter')
  return { faults, limits }
}

/** Everything that is said of filters has to be of one that is there, and of its kind. */
function checkPerFilter(
  perFilter: PerFilter,
  { faults, limits }: HttpFilters,
  path: string,
  problems: Problems,
): void {
  for (const [name, config] of Object.entries(perFilter ?? {})) {
    const here = `${path}.typed_per_filter_config["${name}"]`
    const isA = (filters: readonly Filter[], type: typeof faultName | typeof limitName): boolean =>
      filters.some((filter) => filter.name === name) && unpackAs(type, config) !== undefined
    if (!isA(faults, faultName) && !isA(limits, limitName))
      problems.add(here, 'is of no filter of the listener')
  }
}

function checkAll(config: RouteConfiguration, filters: HttpFilters, path: string, problems: Problems): void {
  for (const [h, host] of (config.virtualHosts ?? []).entries()) {
    const ofHost = `${path}.virtual_hosts[${h}]`
    checkPerFilter(host.typedPerFilterConfig, filters, ofHost, problems)
    for (const [r, route] of (host.routes ?? []).entries()) {
      const ofRoute = `${ofHost}.routes[${r}]`
      checkPerFilter(route.typedPerFilterConfig, filters, ofRoute, problems)
      for (const [c, cluster] of (route.route?.weightedClusters?.clusters ?? []).entries())
        if (Object.keys(cluster.typedPerFilterConfig ?? {}).length > 0)
          problems.add(
            `${ofRoute}.route.weighted_clusters.clusters[${c}].typed_per_filter_config`,
            'is not supported',
          )
    }
  }
}

function nearest({ name, config }: Filter, host: VirtualHost, route: Route): Any | undefined {
  return route.typedPerFilterConfig?.[name] ?? host.typedPerFilterConfig?.[name] ?? config
}

function doesSomething(fault: HttpFault | undefined): boolean {
  return fault?.delay !== undefined || fault?.abort !== undefined
}

/** The routes with the fault that counts for each of them, under the name that routes have it. */
export function withFaults(
  config: RouteConfiguration,
  filters: HttpFilters,
  path: string,
  problems: Problems,
): RouteConfiguration {
  checkAll(config, filters, path, problems)
  const [filter] = filters.faults
  if (filter === undefined) return config
  decodeFault(unpackAs(faultName, filter.config), filter.path, problems)
  const withFault = (host: VirtualHost, route: Route): Route => {
    const fault = nearest(filter, host, route)
    const typedPerFilterConfig =
      fault === undefined || !doesSomething(unpackAs(faultName, fault)) ? {} : { [faultFilter]: fault }
    return { ...route, typedPerFilterConfig }
  }
  return {
    ...config,
    virtualHosts: (config.virtualHosts ?? []).map((host) => ({
      ...host,
      routes: (host.routes ?? []).map((route) => withFault(host, route)),
    })),
  }
}

/** Without a bucket the filter is off, so that routes can have one of their own. */
function isOff({ tokenBucket, descriptors = [] }: LocalRateLimit): boolean {
  return tokenBucket === undefined && descriptors.length === 0
}

/** The rules with the limits that count for each of them; a limit of the listener is one for all that share it. */
export function withLimits(
  hosts: readonly VirtualHostRules[],
  config: RouteConfiguration,
  { limits }: HttpFilters,
  path: string,
  problems: Problems,
): readonly VirtualHostRules[] {
  if (limits.length === 0) return hosts
  const limitsOf = (h: number, r: number): readonly RuleLimit[] => {
    const host = config.virtualHosts?.[h] ?? {}
    const route = host.routes?.[r] ?? {}
    return limits.flatMap((filter) => {
      const place = placeOf(filter, host, route, `${path}.virtual_hosts[${h}]`, r)
      const limit = unpackAs(limitName, nearest(filter, host, route))
      if (limit === undefined || isOff(limit)) return []
      const actions = route.route?.rateLimits ?? []
      const policy = decodeLimit(limit, actions, place, problems)
      // Routes make the key of a descriptor: where they make another, it is another limit.
      return [{ id: `${place} ${JSON.stringify(policy.per)}`, policy }]
    })
  }
  return hosts.map(({ domains, rules }, h) => ({
    domains,
    rules: rules.map((rule, r) => ({ ...rule, rateLimits: limitsOf(h, r) })),
  }))
}

/** Where the configuration that counts is written. */
function placeOf(filter: Filter, host: VirtualHost, route: Route, hostPath: string, r: number): string {
  const key = `typed_per_filter_config["${filter.name}"]`
  if (route.typedPerFilterConfig?.[filter.name] !== undefined) return `${hostPath}.routes[${r}].${key}`
  return host.typedPerFilterConfig?.[filter.name] === undefined ? filter.path : `${hostPath}.${key}`
}

/** What becomes of a request to a service's port, before anybody is sent to. Pure. */
import type { DiagnosedRequest, DiagnosisStep } from '../../api/diagnosis.ts'
import { externalTarget } from '../model/external-name.ts'
import { keyOf, type MeshModel } from '../model/mesh-model.ts'
import { routeStatus } from '../model/route-status.ts'
import { routingOf } from '../model/routing.ts'
import type { Rule } from '../model/rule.ts'
import { splitReport } from '../model/split-report.ts'
import { splitInForce } from '../model/split.ts'
import { isOpaque } from '../model/tcp-routing.ts'
import { trafficOf } from '../model/traffic.ts'
import type { Destination } from '../snapshot/destination.ts'
import { matchingRule, mismatches } from './match-request.ts'

/** More rules than anybody reads. */
const maxRulesShown = 5

function noRule(rules: readonly Rule[], request: DiagnosedRequest): DiagnosisStep {
  const why = rules
    .slice(0, maxRulesShown)
    .map(({ name, match }) => `${name}: ${mismatches(match, request).join(', ')}`)
  return {
    place: 'route',
    id: 'NO_ROUTE_MATCHES',
    outcome: 'fails',
    message: `none of ${rules.length} rules matches ${request.method} ${request.path}, so it gets 404 (${why.join('; ')})`,
    hint: 'add a rule that matches it, or one without matches for everything else',
  }
}

function redirected({ name }: Rule): DiagnosisStep {
  return {
    place: 'route',
    id: 'REDIRECTED',
    outcome: 'warning',
    message: `rule ${name} answers with a redirect: nothing is sent to a backend`,
    hint: 'diagnose the URL that it redirects to',
  }
}

/** Where bytes are passed on unread, routes are not what their author thinks. */
function opaqueSteps(
  model: MeshModel,
  { service, port }: Pick<Destination, 'service' | 'port'>,
): readonly DiagnosisStep[] {
  if (!isOpaque(model, service, port)) return []
  const key = keyOf(service.namespace, service.name)
  const routed = model.routes(key, port.port).length > 0
  return [
    {
      place: 'route',
      id: 'OPAQUE_PORT',
      outcome: routed ? 'warning' : 'ok',
      message: `port ${port.port} of ${key} is opaque: redirected connections are passed on unread, and what is said of requests counts for explicit proxying only`,
      hint: routed ? 'take the port out of config.weft.dev/opaque-ports, or correct its appProtocol' : '',
    },
  ]
}

/** The rule that counts, unless the way ends before, and what there is to say of it. */
export function findRule(
  model: MeshModel,
  { service, port }: Destination,
  clientNamespace: string,
  request: DiagnosedRequest,
): { readonly rule: Rule | undefined; readonly steps: readonly DiagnosisStep[] } {
  const target = externalTarget(model, service)
  if (target?.kind === 'broken')
    return {
      rule: undefined,
      steps: [
        {
          place: 'route',
          id: 'EXTERNAL_NAME_LOOP',
          outcome: 'fails',
          message: `its name leads in a circle: ${target.path.join(' -> ')}`,
          hint: 'let one of these Services name something that is there',
        },
      ],
    }
  const { rules } = routingOf(model, service, port.port, clientNamespace)
  const opaque = opaqueSteps(model, { service, port })
  const rule = matchingRule(rules, request)
  if (rule === undefined) return { rule, steps: [...opaque, noRule(rules, request)] }
  if (rule.filters?.redirect !== undefined) return { rule: undefined, steps: [...opaque, redirected(rule)] }
  const found: DiagnosisStep = {
    place: 'route',
    id: 'RULE_MATCHES',
    outcome: 'ok',
    message: `rule ${rule.name} matches`,
    hint: '',
  }
  return {
    rule,
    steps: [...opaque, found, ...splitSteps(model, rule), ...policySteps(model, { service, port }, request)],
  }
}

/** A split that cannot be followed leaves the requests with the apex, which is not what its author wants. */
function splitSteps(model: MeshModel, rule: Rule): readonly DiagnosisStep[] {
  const apexKey = /^service\/(.+)$/.exec(rule.name)?.[1] ?? rule.backends[0]?.backend?.key
  const split = apexKey === undefined ? undefined : splitInForce(model, apexKey)
  const rulesSplit = split !== undefined && rule.name === `split/${split.namespace}/${split.name}`
  const unsplit = split !== undefined && split.matches.length === 0 && rule.name === `service/${apexKey}`
  if (split === undefined || !(rulesSplit || unsplit)) return []
  const troubles = splitReport(model, split).conditions.filter(({ status }) => status === 'False')
  return troubles.map(({ message }) => ({
    place: 'route',
    id: 'SPLIT_NOT_FOLLOWED',
    outcome: 'warning',
    message: `TrafficSplit ${keyOf(split.namespace, split.name)}: ${message}`,
    hint: `weft split ${split.name} -n ${split.namespace} shows every backend`,
  }))
}

/** Faults and limits that a policy asks for. */
function policySteps(
  model: MeshModel,
  { service, port }: Pick<Destination, 'service' | 'port'>,
  request: DiagnosedRequest,
): readonly DiagnosisStep[] {
  const { fault, rateLimit } = trafficOf(model, service, port)
  const steps: DiagnosisStep[] = []
  const anyPath = { kind: 'prefix', value: '/' } as const
  const faulty =
    fault !== undefined &&
    mismatches({ path: anyPath, headers: fault.headers, query: [], method: undefined }, request).length === 0
  if (faulty && fault.abort !== undefined && fault.abort.percent > 0)
    steps.push({
      place: 'policy',
      id: 'FAULT_INJECTED',
      outcome: fault.abort.percent >= 100 ? 'fails' : 'warning',
      message: `a policy answers ${fault.abort.percent} % of the requests with ${'status' in fault.abort ? fault.abort.status : fault.abort.grpcStatus} by itself`,
      hint: 'take the fault out of the TrafficPolicy; weft policy shows which one it is',
    })
  if (faulty && fault.delay !== undefined && fault.delay.percent > 0)
    steps.push({
      place: 'policy',
      id: 'DELAY_INJECTED',
      outcome: 'warning',
      message: `a policy holds ${fault.delay.percent} % of the requests for ${fault.delay.delayMs} ms`,
      hint: 'take the fault out of the TrafficPolicy; weft policy shows which one it is',
    })
  if (rateLimit !== undefined)
    steps.push({
      place: 'policy',
      id: 'RATE_LIMITED',
      outcome: rateLimit.requestsPerSecond === 0 ? 'fails' : 'ok',
      message: `its sidecars take ${rateLimit.requestsPerSecond} requests a second, what is above gets 429`,
      hint: rateLimit.requestsPerSecond === 0 ? 'raise the limit of the TrafficPolicy' : '',
    })
  return steps
}

/** Why a route's backends cannot be sent to, in the words of its status. */
export function backendTroubles(model: MeshModel, rule: Rule): string {
  const [, kind, namespace, name] = /^((?:http|grpc)route)\/([^/]+)\/([^/]+)\//.exec(rule.name) ?? []
  const route = [...model.allRoutes()].find(
    (one) => one.kind.toLowerCase() === kind && one.namespace === namespace && one.name === name,
  )
  if (route === undefined) return ''
  const messages = routeStatus(model, route)
    .parents.flatMap(({ conditions }) => conditions)
    .flatMap(({ message }) => (message === '' ? [] : [message]))
  return [...new Set(messages)].join('; ')
}

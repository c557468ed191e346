/** What each annotation means to whoever writes it, for the reference. */
import type { annotations, trafficAnnotations } from './annotations.ts'

export type AnnotationHelp = { readonly on: string; readonly value: string; readonly help: string }

const service = 'Service'
const route = 'Service, HTTPRoute, GRPCRoute'

/** By its name in `annotations` and `trafficAnnotations`. */
export const annotationHelp = {
  inject: {
    on: 'Namespace, Pod (also as a label)',
    value: '`enabled` or `disabled`',
    help: 'whether workloads have a sidecar; the Pod wins',
  },
  inbound: {
    on: 'Pod',
    value: '`listen-address:port=application-port`, comma-separated',
    help: 'where the sidecar takes inbound connections when nothing is redirected',
  },
  opaquePorts: {
    on: 'Service (its ports, for clients), Pod (its ports), Namespace (for those of both that have none)',
    value: 'ports and ranges, comma-separated; may be empty',
    help: 'ports whose bytes are passed on without a look at their protocol; replaces the default list, `25,587,3306,4444,4567,4568,5432,6379,9300,11211`',
  },
  retryHttp: {
    on: route,
    value: "`5xx`, `gateway-error`, `503`, `500-504` or a condition of Envoy's, comma-separated",
    help: 'what is retried',
  },
  retryGrpc: {
    on: route,
    value:
      '`cancelled`, `deadline-exceeded`, `internal`, `resource-exhausted`, `unavailable`, comma-separated',
    help: 'what is retried, by gRPC status',
  },
  retryLimit: { on: route, value: 'number', help: 'attempts after the first one; 1 unless set' },
  retryTimeout: { on: route, value: 'duration', help: 'for each attempt' },
  timeoutRequest: { on: route, value: 'duration', help: 'for the whole exchange' },
  timeoutResponse: { on: route, value: 'duration', help: "from the request's end to the reply's end" },
  timeoutIdle: { on: route, value: 'duration', help: 'without a byte in either direction' },
  balancerType: {
    on: service,
    value: '`PeakEWMA`, `LeastRequest`, `RoundRobin`, `Random`, `RingHash` or `Maglev`',
    help: 'how an endpoint is chosen',
  },
  balancerHash: {
    on: service,
    value: '`header:NAME`, `cookie:NAME`, `query:NAME`, `source-ip`, comma-separated',
    help: 'what the hash balancers look at',
  },
  balancerSlowStart: {
    on: service,
    value: 'duration',
    help: 'how long an endpoint that joined takes to get its full share',
  },
  balancerZonePreference: {
    on: service,
    value: '`Hints`, `SameZone` or `Disabled`',
    help: 'whether endpoints of the own zone are preferred',
  },
  failureAccrual: {
    on: service,
    value: '`consecutive`',
    help: 'endpoints are left out after failures in a row',
  },
  maxFailures: { on: service, value: 'number', help: 'how many failures in a row' },
  minPenalty: { on: service, value: 'duration', help: 'how long an endpoint is left out at first' },
  maxPenalty: { on: service, value: 'duration', help: 'how long at most' },
} as const satisfies Record<keyof typeof annotations | keyof typeof trafficAnnotations, AnnotationHelp>

/** Whether somebody is behind what splits and routes send to, and behind the ports that Services name. Pure. */
import type { ServiceReport } from '../../control-plane/model/service-report.ts'
import type { SplitPage } from '../../control-plane/status/split-journal.ts'
import { type Check, warning } from './check.ts'

export type BackendFacts = {
  readonly services: readonly ServiceReport[]
  readonly splits: readonly SplitPage[]
}

const notReadyHint = 'see whether the selector of the Service matches pods, and why these are not ready'

function splitWarnings({ namespace, name, ports }: SplitPage): readonly Check[] {
  const alone = ports.flatMap(({ port, servedBy, backends }) =>
    backends
      .filter(({ leftOut }) => leftOut === 'NoReadyEndpoint' && servedBy === 'split')
      .map(({ service }) => `${service}:${port}`),
  )
  return alone.map((backend) =>
    warning(
      'configuration',
      'BACKEND_NOT_READY',
      `TrafficSplit ${namespace}/${name}: ${backend} has no ready endpoint, its share goes to the others`,
      notReadyHint,
    ),
  )
}

/** A backend that is no Service at all is a finding of the control plane's. */
function routeWarnings({ ports }: ServiceReport, all: ReadonlyMap<string, ServiceReport>): readonly Check[] {
  return ports
    .flatMap(({ rules }) => rules)
    .flatMap(({ kind, route, rule, backends }) =>
      backends.flatMap(({ namespace, service, port, sharePercent }) => {
        const key = `${namespace}/${service}`
        const behind = all.get(key)?.ports.find((one) => one.port === port)
        if (sharePercent === 0 || (behind?.missing ?? undefined) === undefined) return []
        const share = Number(sharePercent.toFixed(1))
        return [
          warning(
            'configuration',
            'BACKEND_NOT_READY',
            `${kind} ${route}, rule ${rule}: ${key}:${port} has no ready endpoint: 503 for ${share} % of its requests`,
            notReadyHint,
          ),
        ]
      }),
    )
}

function portWarnings({ namespace, name, ports }: ServiceReport): readonly Check[] {
  return ports
    .filter(({ missing }) => missing === 'port-missing')
    .map(({ name: portName, port }) =>
      warning(
        'configuration',
        'ENDPOINT_PORT_MISSING',
        `Service ${namespace}/${name}: none of its endpoints has port ${port}${portName === '' ? '' : ` (${portName})`}`,
        'let the targetPort of the Service name a port of the pods',
      ),
    )
}

/** A route may lead to one Service from several ports, and is told of once. */
export function backendChecks({ services, splits }: BackendFacts): readonly Check[] {
  const byKey = new Map(services.map((service) => [`${service.namespace}/${service.name}`, service]))
  const all = [
    ...splits.flatMap(splitWarnings),
    ...services.flatMap((service) => routeWarnings(service, byKey)),
    ...services.flatMap(portWarnings),
  ]
  return [...new Map(all.map((check) => [check.message, check])).values()]
}

/** How exchanges and connections are counted by who came to where. */
import { inboundClusterName } from '../api/xds/naming.ts'
import type { LoadOf } from './telemetry/load-of.ts'
import type { Labels } from './telemetry/series-table.ts'

/** Who came to which port of the application. */
export type ClientFacts = {
  readonly meshTls: boolean
  readonly principal: string | undefined
  readonly port: number
}

/** As Linkerd has them. */
export function inboundLabels({ meshTls, principal, port }: ClientFacts): Labels {
  return {
    direction: 'inbound',
    tls: String(meshTls),
    target_port: String(port),
    ...(principal === undefined ? {} : { client_id: principal }),
  }
}

/** Of a bootstrap file's listener; an empty principal is a client whose certificate names nobody. */
export function listenerLabels(listener: string, principal: string | undefined): Labels {
  return {
    direction: 'inbound',
    tls: String(principal !== undefined),
    authority: listener,
    ...(principal === undefined || principal === '' ? {} : { client_id: principal }),
  }
}

/** What came to the workload is reported by the name of its inbound cluster. */
export function inboundLoad({ meshTls, port }: ClientFacts): LoadOf {
  const name = inboundClusterName(port)
  return { apex: name, backend: name, zone: '', meshTls }
}

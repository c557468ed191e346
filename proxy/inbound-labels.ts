import type { Labels } from './telemetry/golden-stats.ts'

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

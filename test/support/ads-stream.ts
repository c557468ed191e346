/** The stream of a workload in namespace `shop` to a control plane, spoken by hand. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Client, type ClientDuplexStream, credentials, Metadata } from '@grpc/grpc-js'
import { aggregatedDiscoveryService } from '../../api/xds/services.ts'
import type { DeltaDiscoveryRequest, DeltaDiscoveryResponse } from '../../api/xds/types.ts'
import { createWorkloadToken } from '../../cli/token.ts'
import type { TestControlPlane } from './running-control-plane.ts'

export type AdsStream = {
  readonly client: Client
  readonly stream: ClientDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>
}

/** As the ServiceAccount of this name. */
export function openAdsStream(plane: TestControlPlane, serviceAccount: string): AdsStream {
  const state = path.join(plane.folder, 'state')
  const roots = readFileSync(path.join(state, 'root-cert.pem'))
  const client = new Client(`localhost:${plane.running.grpcPort}`, credentials.createSsl(roots))
  const metadata = new Metadata()
  const token = createWorkloadToken({ state, namespace: 'shop', serviceAccount, ttl: '1h' })
  metadata.set('authorization', `Bearer ${token}`)
  const {
    path: method,
    requestSerialize,
    responseDeserialize,
  } = aggregatedDiscoveryService.DeltaAggregatedResources
  const stream = client.makeBidiStreamRequest(method, requestSerialize, responseDeserialize, metadata)
  stream.on('error', () => undefined)
  return { client, stream }
}

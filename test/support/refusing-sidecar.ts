/** A sidecar, as the control plane sees it, that refuses every listener that it is sent. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import * as grpc from '@grpc/grpc-js'
import { aggregatedDiscoveryService } from '../../api/xds/services.ts'
import { toStruct } from '../../api/xds/struct.ts'
import { typeUrls } from '../../api/xds/type-urls.ts'
import type { DeltaDiscoveryResponse } from '../../api/xds/types.ts'
import { createWorkloadToken } from '../../cli/token.ts'
import { version } from '../../core/version.ts'
import type { TestControlPlane } from './running-control-plane.ts'

/** Of a pod in namespace `shop` with a ServiceAccount of its name; gives what ends it. */
export function startRefusingSidecar(plane: TestControlPlane, pod: string, reason: string): () => void {
  const state = path.join(plane.folder, 'state')
  const token = createWorkloadToken({ state, namespace: 'shop', serviceAccount: pod, ttl: '1h' })
  const roots = readFileSync(path.join(state, 'root-cert.pem'))
  const client = new grpc.Client(`localhost:${plane.running.grpcPort}`, grpc.credentials.createSsl(roots))
  const metadata = new grpc.Metadata()
  metadata.set('authorization', `Bearer ${token}`)
  const {
    path: method,
    requestSerialize,
    responseDeserialize,
  } = aggregatedDiscoveryService.DeltaAggregatedResources
  const stream = client.makeBidiStreamRequest(method, requestSerialize, responseDeserialize, metadata)
  stream.on('error', () => undefined)
  stream.on('data', ({ typeUrl, nonce }: DeltaDiscoveryResponse) =>
    stream.write({ typeUrl, responseNonce: nonce, errorDetail: { code: 3, message: reason } }),
  )
  const facts = toStruct({ NAMESPACE: 'shop', POD: pod, WEFT: 'sidecar' })
  stream.write({
    node: { id: `${pod}.shop`, userAgentName: 'weft', userAgentVersion: version, metadata: facts },
    typeUrl: typeUrls.listener,
    resourceNamesSubscribe: ['app.shop.svc.cluster.local:8080'],
  })
  return () => {
    stream.cancel()
    client.close()
  }
}

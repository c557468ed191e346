/** A sidecar, as the control plane sees it, that refuses every listener that it is sent. */
import { toStruct } from '../../api/xds/struct.ts'
import { typeUrls } from '../../api/xds/type-urls.ts'
import type { DeltaDiscoveryResponse } from '../../api/xds/types.ts'
import { version } from '../../core/version.ts'
import { openAdsStream } from './ads-stream.ts'
import type { TestControlPlane } from './running-control-plane.ts'

/** Of a pod in namespace `shop` with a ServiceAccount of its name; gives what ends it. */
export function startRefusingSidecar(plane: TestControlPlane, pod: string, reason: string): () => void {
  const { client, stream } = openAdsStream(plane, pod)
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

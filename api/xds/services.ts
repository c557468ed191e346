/** The gRPC services as grpc-js wants them: ADS, LRS, and Istio's certificate service. */
import type { MethodDefinition } from '@grpc/grpc-js'
import { decode, encode, type MessageName, type Messages } from './codec.ts'

function method<Q extends MessageName, R extends MessageName>(
  path: string,
  request: Q,
  reply: R,
  streams: boolean,
): MethodDefinition<Messages[Q], Messages[R] | Buffer> & MethodDefinition<Messages[Q], Messages[R]> {
  return {
    path,
    requestStream: streams,
    responseStream: streams,
    requestSerialize: (value: Messages[Q]) => encode(request, value),
    requestDeserialize: (bytes: Buffer) => decode(request, bytes),
    // A Buffer is a reply that was encoded once for many streams.
    responseSerialize: (value: Messages[R] | Buffer) =>
      Buffer.isBuffer(value) ? value : encode(reply, value),
    responseDeserialize: (bytes: Buffer) => decode(reply, bytes),
  }
}

const discovery = '/envoy.service.discovery.v3.AggregatedDiscoveryService'

/** envoy.service.discovery.v3.AggregatedDiscoveryService, both variants. */
export const aggregatedDiscoveryService = {
  StreamAggregatedResources: method(
    `${discovery}/StreamAggregatedResources`,
    'envoy.service.discovery.v3.DiscoveryRequest',
    'envoy.service.discovery.v3.DiscoveryResponse',
    true,
  ),
  DeltaAggregatedResources: method(
    `${discovery}/DeltaAggregatedResources`,
    'envoy.service.discovery.v3.DeltaDiscoveryRequest',
    'envoy.service.discovery.v3.DeltaDiscoveryResponse',
    true,
  ),
}

/** istio.v1.auth.IstioCertificateService: a CSR for a chain. */
export const certificateService = {
  CreateCertificate: method(
    '/istio.v1.auth.IstioCertificateService/CreateCertificate',
    'istio.v1.auth.IstioCertificateRequest',
    'istio.v1.auth.IstioCertificateResponse',
    false,
  ),
}

/** envoy.service.load_stats.v3.LoadReportingService (LRS). */
export const loadReportingService = {
  StreamLoadStats: method(
    '/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats',
    'envoy.service.load_stats.v3.LoadStatsRequest',
    'envoy.service.load_stats.v3.LoadStatsResponse',
    true,
  ),
}

/** weft.tap.v1alpha1.TapService: the sidecar opens it, the control plane says what it wants to see. */
export const tapService = {
  Watch: method(
    '/weft.tap.v1alpha1.TapService/Watch',
    'weft.tap.v1alpha1.TapReport',
    'weft.tap.v1alpha1.TapCommand',
    true,
  ),
}

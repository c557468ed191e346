/** The HTTP version that a Service's port asks for -> the options of its Cluster. */
import { pack } from '../../api/xds/codec.ts'
import { httpProtocolOptions } from '../../api/xds/naming.ts'
import type { Cluster } from '../../api/xds/types.ts'
import { httpVersionOf } from '../model/application-protocol.ts'
import type { ServicePort } from '../model/objects.ts'
import type { ClientKind } from './client-kind.ts'

/** Nothing for stock gRPC clients, which speak HTTP/2 whatever is said. */
export function httpOptions(port: ServicePort, kind: ClientKind): Partial<Cluster> {
  const version = kind === 'grpc' ? undefined : httpVersionOf(port)
  if (version === undefined) return {}
  const explicitHttpConfig = version === 'http2' ? { http2ProtocolOptions: {} } : { httpProtocolOptions: {} }
  return {
    typedExtensionProtocolOptions: {
      [httpProtocolOptions]: pack(httpProtocolOptions, { explicitHttpConfig }),
    },
  }
}

/** The servers below a gRPC server, which the library keeps to itself: what it says nothing of is seen there. */
import type { Http2SecureServer } from 'node:http2'
import type { Server } from '@grpc/grpc-js'

/** Those of a `server` that is bound: only then does the library have them. */
export function http2ServersOf(server: Server): Iterable<Http2SecureServer> {
  const { http2Servers } = server as unknown as { readonly http2Servers: Map<Http2SecureServer, unknown> }
  return http2Servers.keys()
}

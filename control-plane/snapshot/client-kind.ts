import type { Node } from '../../api/xds/types.ts'

/** What a client can make use of (xds.md 3): a stock gRPC client rejects, or breaks on, what sidecars need. */
export type ClientKind = 'sidecar' | 'grpc' | 'envoy'

/** From what the client says of itself; what it may have is decided by its token, not by this. */
export function clientKindOf(node: Node | undefined): ClientKind {
  const agent = node?.userAgentName ?? ''
  if (agent === 'weft') return 'sidecar'
  return agent.startsWith('gRPC') ? 'grpc' : 'envoy'
}

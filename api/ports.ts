/** The ports of the wire contract. */
export const ports = {
  outbound: 4140,
  inbound: 4143,
  sidecarAdmin: 4191,
  controlPlaneGrpc: 8086,
  webhook: 8443,
  controlPlaneAdmin: 9990,
} as const

/** The user that sidecars run as; its own traffic is never redirected. */
export const sidecarUid = 2102

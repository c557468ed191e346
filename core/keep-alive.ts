/** After so long without a byte the kernel asks whether the other machine is still there: who vanished says nothing. */
export const keepAliveProbeMs = 30_000

import type { Peer } from '../peer.ts'

/** No proxy at all: what the load and the backend take by themselves. */
export const direct: Peer = {
  name: 'direct',
  topologies: ['plain', 'pair'],
  protocols: ['http1', 'http2'],
  available: () => true,
  version: () => '',
  start: ({ backendPort }) =>
    Promise.resolve({
      port: backendPort,
      processes: [],
      readyMs: 0,
      verify: () => Promise.resolve(),
      stop: () => Promise.resolve(),
    }),
}

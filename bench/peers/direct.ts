import type { Peer } from '../peer.ts'

/** No proxy at all: what the load and the backend cost by themselves. */
export const direct: Peer = {
  name: 'direct',
  topologies: ['plain', 'pair'],
  available: () => true,
  start: ({ backendPort }) =>
    Promise.resolve({ port: backendPort, processes: [], stop: () => Promise.resolve() }),
}

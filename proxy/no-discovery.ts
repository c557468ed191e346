import type { Discovery } from './config-sink.ts'

/** Everything there is to know was in the bootstrap file. */
export const noDiscovery: Discovery = {
  resolve: () => Promise.resolve('unknown'),
  touch: () => undefined,
}

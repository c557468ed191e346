/** What a sidecar has instead of a mesh when its bootstrap file names no control plane: everything is in the file. */
import { WeftError } from '../core/errors.ts'
import type { Mesh } from './mesh.ts'

export const noMesh: Mesh = {
  identity: undefined,
  dialMesh: () => Promise.reject(new WeftError('IDENTITY_MISSING', 'there is no mesh')),
  acceptMesh: (socket, _onSecure, onRefused) => {
    socket.destroy()
    onRefused(new WeftError('IDENTITY_MISSING', 'there is no mesh'))
  },
  discovery: { resolve: () => Promise.resolve('unknown'), touch: () => undefined },
  ready: () => true,
  dump: () => ({}),
  clustersOf: () => [],
  start: () => undefined,
  stop: () => Promise.resolve(),
}

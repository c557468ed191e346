import { WeftError } from '../../core/errors.ts'
import type { Layer } from '../layer.ts'

/** Refuses what did not come over mesh mTLS, while `strict` says so; asked per request, so that a change works at once. */
export function requireMeshTls(strict: () => boolean): Layer {
  return (next) =>
    function checkTransport(x, receiver) {
      if (!x.downstream.meshTls && strict())
        throw new WeftError('REQUEST_DENIED', 'this workload takes mesh mTLS only')
      next(x, receiver)
    }
}

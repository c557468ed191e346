/** Shows exchanges to whoever looks; while nobody does, each reads one property. */
import type { Layer } from '../layer.ts'
import type { Tap } from '../telemetry/tap.ts'

export function tapped(tap: Pick<Tap, 'onDone'>): Layer {
  return (next) =>
    function tapExchange(x, receiver) {
      const { onDone } = tap
      if (onDone !== undefined) x.whenDone(onDone)
      next(x, receiver)
    }
}

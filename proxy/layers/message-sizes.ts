/** Counts how large requests and replies were, when they are over; composed only where somebody asks for that. */
import type { Exchange, Reply } from '../exchange.ts'
import type { Layer } from '../layer.ts'
import { MessageSizes } from '../telemetry/message-sizes.ts'

function countSizes(x: Exchange, _reply: Reply | undefined, sentBytes: number): void {
  const stats = x.downstream.stats ?? x.stats
  // It broke off before anybody answered: no exchange is counted.
  if (stats === undefined) return
  const sizes = (stats.sizes ??= new MessageSizes())
  sizes.requests.add(x.body.receivedBytes)
  sizes.replies.add(sentBytes)
}

export function messageSizes(): Layer {
  return (next) =>
    function watchSizes(x, receiver) {
      x.whenDone(countSizes)
      next(x, receiver)
    }
}

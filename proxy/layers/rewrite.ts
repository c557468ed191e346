/** Sends a request on under another host or path. Absent from the chain of a route that rewrites nothing. */
import type { Layer } from '../layer.ts'

export type Rewrite = {
  /** Sent as Host; undefined: the client's. */
  readonly host: string | undefined
  /** From the target to what is sent; undefined: the same. */
  readonly target: ((target: string) => string) | undefined
}

export function rewrite({ host, target }: Rewrite): Layer {
  return (next) =>
    function rewriteRequest(x, receiver) {
      if (host !== undefined) x.headers.set('host', host, 'Host')
      if (target !== undefined) x.target = target(x.target)
      next(x, receiver)
    }
}

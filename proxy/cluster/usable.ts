/** Which endpoints of a cluster are sent to, with some of them out of use. Pure. */
import type { Endpoint } from './endpoint.ts'

/**
 * Those in use; with fewer than `panicPercent` of all of them, the ejected ones too: that many failures are no longer the
 * fault of single endpoints. Unreachable ones only when nothing else is left: there is nothing to be had from them.
 * `panicPercent` undefined: nobody is ever ejected.
 */
export function inUseOf(
  endpoints: readonly Endpoint[],
  panicPercent: number | undefined,
): { readonly inUse: readonly Endpoint[]; readonly panicking: boolean } {
  const inUse = endpoints.filter(({ health }) => health.inUse)
  if (inUse.length === endpoints.length) return { inUse, panicking: false }
  const ejected = endpoints.some(({ health }) => health.state === 'ejected')
  const panicking = ejected && inUse.length * 100 < (panicPercent ?? 0) * endpoints.length
  const wanted = panicking ? endpoints.filter(({ health }) => health.state !== 'unreachable') : inUse
  if (wanted.length > 0) return { inUse: wanted, panicking }
  return { inUse: endpoints.filter(({ health }) => health.state === 'unreachable'), panicking }
}

import { systemCodeOf } from '../../core/errors.ts'
import type { ApplicationAddress, ApplicationAddresses } from '../application-addresses.ts'

/** What an application said to a probe; 200 to 399 is well. */
export type ProbeAnswer = { readonly status: number; readonly body: string }

/** Asks at one address after the other while nobody listens there. Rejects as the last one did. */
export async function askInTurn(
  addresses: ApplicationAddresses,
  ask: (address: ApplicationAddress) => Promise<ProbeAnswer>,
): Promise<ProbeAnswer> {
  for (const address of addresses.slice(0, -1)) {
    try {
      return await ask(address)
    } catch (error) {
      if (systemCodeOf(error) !== 'ECONNREFUSED') throw error
    }
  }
  return ask(addresses.at(-1) as ApplicationAddress)
}

/** Above it, setTimeout fires at once. */
const longestTimeoutMs = 2 ** 31 - 1

/** Calls `late` with an error after `timeoutMs`, unless the function that it gives is called before. */
export function deadline(timeoutMs: number, late: (error: Error) => void): () => void {
  const timer = setTimeout(
    () => late(new Error(`no answer within ${timeoutMs} ms`)),
    Math.min(timeoutMs, longestTimeoutMs),
  )
  return () => clearTimeout(timer)
}

/** What an application said to a probe; 200 to 399 is well. */
export type ProbeAnswer = { readonly status: number; readonly body: string }

/** Where applications listen, as for all that the sidecar passes on to them. */
export const applicationHost = '127.0.0.1'

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

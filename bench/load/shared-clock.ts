/** Monotonic milliseconds that all threads and processes of the machine agree on, to the microsecond. */
export function sharedNowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

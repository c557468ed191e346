const [seconds, nanoseconds] = process.hrtime()
const offsetMs = seconds * 1000 + nanoseconds / 1e6 - performance.now()

/** Monotonic milliseconds that all threads and processes of the machine agree on. */
export function sharedNowMs(): number {
  return performance.now() + offsetMs
}

/** How much of the CPU that it may have the thread of the event loop takes. */

/**
 * Asked again and again, tells the share of the time since it was asked last (0 to 1, more with a limit) in which this
 * thread ran, of the `limit` in CPUs that it has at most.
 */
export function cpuShareOfThread(limit: number): () => number {
  let [atMs, usedMs] = [performance.now(), usedByThreadMs()]
  return () => {
    const [beforeMs, usedBeforeMs] = [atMs, usedMs]
    atMs = performance.now()
    usedMs = usedByThreadMs()
    return (usedMs - usedBeforeMs) / ((atMs - beforeMs) * Math.min(1, limit))
  }
}

function usedByThreadMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

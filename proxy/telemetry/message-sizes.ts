/** How large the bodies of requests and replies were: counted only where Istio's families are asked for. */

/** Istio's own buckets, which are those of its durations. */
export const sizeBounds = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000,
  3_600_000,
] as const

export class SizeHistogram {
  /** Not cumulative; one more than bounds, for what is above the last. */
  readonly counts = new Uint32Array(sizeBounds.length + 1)
  sum = 0
  count = 0

  add(bytes: number): void {
    let bucket = 0
    while (bucket < sizeBounds.length && bytes > (sizeBounds[bucket] as number)) bucket++
    this.counts[bucket] = (this.counts[bucket] as number) + 1
    this.sum += bytes
    this.count++
  }
}

export class MessageSizes {
  readonly requests = new SizeHistogram()
  readonly replies = new SizeHistogram()
}

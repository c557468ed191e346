/** Percentiles of recent latencies in a few hundred bytes: counts by logarithmic buckets, older ones count less. */

/** Buckets grow by a tenth: what is read is at most that much above what was seen. */
const growth = 1.1
const smallestMs = 0.1
const bucketCount = 150
/** When so many were seen all counts are halved, so that the last few thousand say most. */
const halveAt = 2000
/** Fewer say nothing of a percentile. */
const leastSeen = 20
/** For how many the last answer is good. */
const freshFor = 50

export class LatencyWindow {
  readonly #counts = new Uint32Array(bucketCount)
  #seen = 0
  #sinceAnswer = 0
  #answerMs: number | undefined

  observe(latencyMs: number): void {
    const bucket =
      latencyMs <= smallestMs ? 0 : Math.ceil(Math.log(latencyMs / smallestMs) / Math.log(growth))
    const index = Math.min(bucket, bucketCount - 1)
    this.#counts[index] = (this.#counts[index] as number) + 1
    this.#sinceAnswer++
    if (++this.#seen >= halveAt) this.#halve()
  }

  /** What `percentile` (0 to 100) of the latencies are not above; undefined while too few were seen. */
  percentileMs(percentile: number): number | undefined {
    if (this.#seen < leastSeen) return undefined
    if (this.#answerMs !== undefined && this.#sinceAnswer < freshFor) return this.#answerMs
    this.#sinceAnswer = 0
    let below = 0
    const wanted = (this.#seen * percentile) / 100
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      below += this.#counts[bucket] as number
      if (below >= wanted) return (this.#answerMs = smallestMs * growth ** bucket)
    }
    return (this.#answerMs = smallestMs * growth ** (bucketCount - 1))
  }

  #halve(): void {
    this.#seen = 0
    for (let bucket = 0; bucket < bucketCount; bucket++)
      this.#seen += this.#counts[bucket] = (this.#counts[bucket] as number) >> 1
  }
}

/** Answers 429 to what comes faster than a limit allows, before the application sees it. Absent unless asked for. */
import { errorCodes } from '../../core/error-codes.ts'
import type { Exchange, Handler } from '../exchange.ts'
import type { Layer } from '../layer.ts'
import { localReply } from '../local-reply.ts'
import { KeyedBuckets } from '../rate-limit/keyed-buckets.ts'
import type { RateLimitPolicy } from '../rate-limit/rate-limit-policy.ts'
import { TokenBucket } from '../rate-limit/token-bucket.ts'

/** Read at scrape. */
export type RateLimitCounts = { limited: number }

const { summary, http } = errorCodes.RATE_LIMITED
const text = `RATE_LIMITED: ${summary}`

/** Takes a token for `x`: 0, or how long it would have to wait for one. */
type Take = (x: Exchange) => number

function taker({ bucket, per }: RateLimitPolicy, nowMs: number): Take {
  if (per.kind === 'total') {
    const all = new TokenBucket(bucket, nowMs)
    return (x) => all.take(x.nowMs)
  }
  const buckets = new KeyedBuckets(bucket)
  // Those without a key share a bucket: leaving it out must not be the way around the limit.
  if (per.kind === 'principal') return (x) => buckets.take(x.downstream.principal ?? '', x.nowMs)
  const { name } = per
  return (x) => buckets.take(x.headers.joined(name) ?? '', x.nowMs)
}

export function rateLimit(policy: RateLimitPolicy, counts: RateLimitCounts, nowMs: () => number): Layer {
  const take = taker(policy, nowMs())
  return (next: Handler): Handler =>
    function limitRate(x, receiver) {
      const waitMs = take(x)
      if (waitMs === 0) {
        next(x, receiver)
        return
      }
      counts.limited++
      const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000))
      receiver.onReply(x, localReply(x, { ...http, text, retryAfterSeconds }))
    }
}

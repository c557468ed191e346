/** A limit on the requests that come in, as data. */
import type { TokenBucketSettings } from './token-bucket.ts'

/** What has a bucket of its own: everything together, each principal, or each value of a header. */
export type RateLimitKey =
  | { readonly kind: 'total' }
  | { readonly kind: 'principal' }
  | { readonly kind: 'header'; readonly name: string }

export type RateLimitPolicy = { readonly bucket: TokenBucketSettings; readonly per: RateLimitKey }

/** Where a hashing balancer takes its key from. */
export type HashInput =
  /** In lower case; `:authority` is the request's own. */
  | { readonly kind: 'header'; readonly name: string }
  /** With a `ttlMs` (0: until the client ends its session) it is given to a client that has none. */
  | {
      readonly kind: 'cookie'
      readonly name: string
      readonly ttlMs: number | undefined
      readonly path: string | undefined
    }
  | { readonly kind: 'query'; readonly name: string }
  | { readonly kind: 'source-ip' }

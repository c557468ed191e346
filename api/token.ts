/** Whom the tokens of workloads are for; a token for anybody else proves nothing to the control plane. */
export const tokenAudience = 'weft'
/** Whom the tokens of those who look at exchanges are for; good for nothing else. */
export const tapAudience = 'tap.weft.dev'
/** The header that carries one: the API server's proxy keeps `authorization` to itself. */
export const tapTokenHeader = 'weft-tap-token'
/** What a token's ServiceAccount has to have the right to `watch`; there are no such objects. */
export const tapResource = { group: 'tap.weft.dev', resource: 'exchanges' } as const

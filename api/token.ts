/** Whom the tokens of workloads are for; a token for anybody else proves nothing to the control plane. */
export const tokenAudience = 'weft'

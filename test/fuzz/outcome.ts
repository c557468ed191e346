/** What a parser makes of bytes, in the terms that two parsers are compared in. */

export type Message = {
  /** Method and target, or the status. */
  readonly start: string
  /** End-to-end fields: `name: value`, names in lower case. */
  readonly fields: readonly string[]
  /** Latin1. */
  readonly body: string
  readonly keepAlive: boolean
  /** What follows is no HTTP any more, if the other side agrees. */
  readonly upgrade: boolean
}

export type Outcome = {
  /** Those that are complete. */
  readonly messages: readonly Message[]
  /** How the bytes end: behind a message, within one, or at what is no message. */
  readonly end: 'clean' | 'incomplete' | 'refused'
  /** Why they are refused, or what is missing, in the parser's words. */
  readonly reason: string
  /** Method and target of the request that is not complete, where its head is. */
  readonly begun?: string
}

/** Fields that end at a hop, or that frame: what becomes of them is compared as framing. */
const hopFields = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'upgrade',
  'http2-settings',
  'expect',
  'transfer-encoding',
  'content-length',
])

/** `pairs` is [name, value, ...]; gives what a next hop should see. */
export function endToEndFields(pairs: readonly string[]): readonly string[] {
  const nominated = new Set<string>()
  for (let i = 0; i < pairs.length; i += 2)
    if (pairs[i]?.toLowerCase() === 'connection')
      for (const part of (pairs[i + 1] as string).split(',')) nominated.add(part.trim().toLowerCase())
  for (const kept of ['host', 'authorization', 'traceparent', 'x-forwarded-client-cert', 'weft-client-id'])
    nominated.delete(kept)
  const fields: string[] = []
  for (let i = 0; i < pairs.length; i += 2) {
    const name = (pairs[i] as string).toLowerCase()
    if (!hopFields.has(name) && !nominated.has(name)) fields.push(`${name}: ${pairs[i + 1]}`)
  }
  return fields
}

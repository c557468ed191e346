/** Takes the key that keeps equal requests together out of each request. Absent from routes whose backends do not hash. */
import { randomUUID } from 'node:crypto'
import { hash32 } from '../cluster/hash.ts'
import { type Exchange, handle } from '../exchange.ts'
import type { Layer } from '../layer.ts'
import type { HashInput } from '../route/hash-input.ts'
import { ReplyEditor } from '../route/reply-editor.ts'
import { readCookie } from '../route/session-token.ts'

type CookieInput = Extract<HashInput, { readonly kind: 'cookie' }>

function queryValue(target: string, name: string): string | undefined {
  const at = target.indexOf('?')
  return at === -1 ? undefined : (new URLSearchParams(target.slice(at + 1)).get(name) ?? undefined)
}

/** The text of one input that a request has, prepared once per configuration. */
function reader(input: HashInput): (x: Exchange) => string | undefined {
  switch (input.kind) {
    case 'header':
      return input.name === ':authority' ? (x) => x.authority : (x) => x.headers.joined(input.name)
    case 'cookie':
      return (x) => readCookie(x.headers, input.name)
    case 'query':
      return (x) => queryValue(x.requestTarget, input.name)
    case 'source-ip':
      return (x) => x.downstream.peerAddress
  }
}

function setCookie({ name, ttlMs = 0, path }: CookieInput, value: string): string {
  const age = ttlMs === 0 ? '' : `; Max-Age=${Math.ceil(ttlMs / 1000)}`
  return `${name}=${value}${age}${path === undefined ? '' : `; Path=${path}`}; HttpOnly`
}

/**
 * The first of `inputs` that a request has decides; without any it goes anywhere. A cookie with a lifetime is given to a
 * client that has none, as Envoy does: with it the next request finds the same endpoint.
 */
export function hash(inputs: readonly HashInput[], makeKey: () => string = randomUUID): Layer {
  const readers = inputs.map(reader)
  const given = inputs.find(
    (input): input is CookieInput => input.kind === 'cookie' && input.ttlMs !== undefined,
  )
  const rank = given === undefined ? inputs.length : inputs.indexOf(given)
  return (next) =>
    function findHash(x, receiver) {
      const found = readers.findIndex((read) => read(x) !== undefined)
      if (given !== undefined && (found === -1 || found > rank)) {
        const key = makeKey()
        x.hash = hash32(key)
        const cookie = setCookie(given, key)
        handle(next, x, new ReplyEditor(receiver, (headers) => headers.append('Set-Cookie', cookie)))
        return
      }
      if (found !== -1) x.hash = hash32(readers[found]?.(x) ?? '')
      next(x, receiver)
    }
}

/** Who is at the other end of a connection, and which rules mean them. Worked out once for a connection. */
import { BlockList, isIP } from 'node:net'
import type { AccessRule, Principal, TextMatch } from './access-rules.ts'

export type Peer = {
  /** Proven by mesh mTLS; undefined in clear. */
  readonly principal: string | undefined
  readonly address: string
}

export type PeerPredicate = (peer: Peer) => boolean

/** Throws SyntaxError on a regex: principals are matched by their beginning or their end. */
function textPredicate(match: TextMatch): (text: string) => boolean {
  const { kind, value } = match
  switch (kind) {
    case 'exact':
      return (text) => text === value
    case 'prefix':
      return (text) => text.startsWith(value)
    case 'suffix':
      return (text) => text.endsWith(value)
    case 'contains':
      return (text) => text.includes(value)
    case 'regex':
      throw new SyntaxError('a principal is matched by no regex')
  }
}

function addressPredicate(address: string, prefixLength: number): PeerPredicate {
  const family = isIP(address)
  const name = family === 6 ? 'ipv6' : 'ipv4'
  const list = new BlockList()
  list.addSubnet(address, prefixLength, name)
  // A list takes addresses of IPv4 for a part of IPv6; who writes a range of the one does not mean the other.
  return (peer) => isIP(peer.address) === family && list.check(peer.address, name)
}

/** Whether `principal` means a peer. Throws on what validation has refused before. */
export function peerPredicate(principal: Principal): PeerPredicate {
  switch (principal.kind) {
    case 'any':
      return () => true
    case 'all': {
      const parts = principal.of.map(peerPredicate)
      return (peer) => parts.every((part) => part(peer))
    }
    case 'one': {
      const parts = principal.of.map(peerPredicate)
      return (peer) => parts.some((part) => part(peer))
    }
    case 'not': {
      const part = peerPredicate(principal.of)
      return (peer) => !part(peer)
    }
    case 'principal': {
      const { match } = principal
      if (match === undefined) return (peer) => peer.principal !== undefined
      const fits = textPredicate(match)
      return (peer) => peer.principal !== undefined && fits(peer.principal)
    }
    case 'address':
      return addressPredicate(principal.address, principal.prefixLength)
  }
}

const namespaceForm = /^spiffe:\/\/[^/]+\/ns\/[^/]+\/sa\/$/

/** Everybody of the namespace of `principal`, as the beginning of their names. */
function namespaceOf(principal: string): string {
  return principal.slice(0, principal.lastIndexOf('/') + 1)
}

/** The names under which rules for a peer are kept. */
export function keysOf({ principal }: Peer): readonly string[] {
  return principal === undefined ? [] : [principal, namespaceOf(principal)]
}

/** The principals or whole namespaces of which a peer has to be one; undefined: it takes more than a look-up. */
export function requiredKeys(principal: Principal): readonly string[] | undefined {
  switch (principal.kind) {
    case 'principal': {
      const { match } = principal
      if (match?.kind === 'exact') return [match.value]
      return match?.kind === 'prefix' && namespaceForm.test(match.value) ? [match.value] : undefined
    }
    case 'one': {
      const each = principal.of.map(requiredKeys)
      return each.includes(undefined) ? undefined : each.flatMap((keys) => keys ?? [])
    }
    case 'all':
      return principal.of.map(requiredKeys).find((keys) => keys !== undefined)
    default:
      return undefined
  }
}

/** Refuses all who are not of the mesh, whatever they do: what a rule says that asks for mesh TLS. */
export function refusesClear({ permission, principal }: AccessRule): boolean {
  if (permission.kind !== 'any') return false
  const { kind } = principal
  return kind === 'any' || (kind === 'not' && isAnyPrincipal(principal.of))
}

function isAnyPrincipal(principal: Principal): boolean {
  return principal.kind === 'principal' && principal.match === undefined
}

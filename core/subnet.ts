/** Networks as `10.0.0.0/8` or `fd00::/8`; an address alone is a network of one. */
import { isIP } from 'node:net'

export type Subnet = { readonly family: 4 | 6; readonly address: string; readonly prefixLength: number }

/** Reads a network; undefined if it is none. */
export function parseSubnet(text: string): Subnet | undefined {
  const [address = '', length, ...rest] = text.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0) return undefined
  const longest = family === 4 ? 32 : 128
  if (length !== undefined && !/^\d{1,3}$/.test(length)) return undefined
  const prefixLength = length === undefined ? longest : Number(length)
  return prefixLength > longest ? undefined : { family: family === 4 ? 4 : 6, address, prefixLength }
}

export function formatSubnet({ address, prefixLength }: Subnet): string {
  return `${address}/${prefixLength}`
}

/** Host and port, as in settings: `127.0.0.1:8086`, `[::1]:80`, `:8080`. */

export type Address = { readonly host: string; readonly port: number }

/** Reads `host:port`; undefined if it is not one. An empty host means all addresses, as `0.0.0.0`. */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^\s:[\]]*)):(\d{1,5})$/.exec(text)
  if (match === null) return undefined
  const port = Number(match[3])
  if (port > 65535) return undefined
  const host = match[1] ?? match[2] ?? ''
  return { host: host === '' ? '0.0.0.0' : host, port }
}

/** Writes `host:port`, IPv6 addresses in brackets. */
export function formatAddress(address: Address): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}

/** Whether a peer's address is this machine's own loopback, IPv4 in IPv6 form included. */
export function isLoopback(host: string | undefined): boolean {
  if (host === undefined) return false
  return host === '::1' || host.startsWith('127.') || host.startsWith('::ffff:127.')
}

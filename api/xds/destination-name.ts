/** What a client calls a destination, in the one form that the control plane is asked for. */

/**
 * `authority` (host[:port], any case, perhaps with a trailing dot) as `host:port`: lower case, port 80 when none is
 * given, a single label completed by the sidecar's own namespace, so that the name means the same to every sidecar.
 */
export function destinationName(authority: string, namespace: string): string {
  const lower = authority.toLowerCase()
  const colon = lower.lastIndexOf(':')
  const hasPort = colon > lower.lastIndexOf(']') && colon !== -1
  const port = hasPort ? lower.slice(colon + 1) : '80'
  let host = hasPort ? lower.slice(0, colon) : lower
  if (host.endsWith('.')) host = host.slice(0, -1)
  const singleLabel = !host.includes('.') && !host.startsWith('[') && host !== 'localhost'
  return `${singleLabel && host !== '' ? `${host}.${namespace}` : host}:${port === '' ? '80' : port}`
}

/** The names that a machine knows by itself, as /etc/hosts has them. */
import { isIP } from 'node:net'

/** Addresses by name, in lower case, in the order of the file. */
export function parseHosts(text: string): ReadonlyMap<string, readonly string[]> {
  const byName = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    if (isIP(address) === 0) continue
    for (const name of names.map((written) => written.toLowerCase())) {
      const known = byName.get(name)
      if (known === undefined) byName.set(name, [address])
      else known.push(address)
    }
  }
  return byName
}

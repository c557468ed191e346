/**
 * Names to addresses, asked for over sockets of our own: the system's look-up (`dns.lookup`) would take one of the few
 * threads of the pool for as long as a name server is silent, and everything else that needs them would wait.
 */
import dns from 'node:dns'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { WeftError } from '../../core/errors.ts'
import { parseHosts } from './hosts-file.ts'
import { candidateNames, parseSearchList, type SearchList } from './search-list.ts'

export type IpFamily = 4 | 6
/** `ttlMs` undefined: the source does not say how long they hold. */
export type Resolved = { readonly addresses: readonly string[]; readonly ttlMs: number | undefined }
/** `first`: those of the first family that there are any of. */
export type FamilyChoice = { readonly families: readonly IpFamily[]; readonly which: 'first' | 'all' }

export const ipv4Preferred: FamilyChoice = { families: [4, 6], which: 'first' }

export interface HostResolver {
  /** The addresses of `host`, one at least. Rejects with WeftError NAME_UNRESOLVED. */
  resolve(host: string, choice: FamilyChoice): Promise<Resolved>
}

const attemptTimeoutMs = 1_000
const attempts = 2

type Answer = { readonly address: string; readonly ttl: number }

async function readOr(file: string, otherwise: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch {
    return otherwise // A machine may have none.
  }
}

export class DnsResolver implements HostResolver {
  readonly #resolver = new dns.promises.Resolver({ timeout: attemptTimeoutMs, tries: attempts })

  /** `servers` as `address:port`; empty: those of the system. */
  constructor(servers: readonly string[]) {
    if (servers.length > 0) this.#resolver.setServers([...servers])
  }

  async resolve(host: string, choice: FamilyChoice): Promise<Resolved> {
    if (isIP(host) !== 0) return { addresses: [host], ttlMs: undefined }
    const known = await this.#known(host.toLowerCase(), choice)
    if (known.length > 0) return { addresses: known, ttlMs: undefined }
    const search = parseSearchList(await readOr('/etc/resolv.conf', ''))
    return this.#ask(host, choice, search)
  }

  async #known(host: string, choice: FamilyChoice): Promise<readonly string[]> {
    const listed = parseHosts(await readOr('/etc/hosts', '')).get(host.replace(/\.$/, '')) ?? []
    // RFC 6761: it never leaves the machine.
    const addresses = listed.length === 0 && host === 'localhost' ? ['127.0.0.1', '::1'] : listed
    return chosen(choice, (family) => addresses.filter((address) => isIP(address) === family))
  }

  async #ask(host: string, choice: FamilyChoice, search: SearchList): Promise<Resolved> {
    let failure: unknown
    for (const name of candidateNames(host, search)) {
      try {
        const answers = await this.#answers(name, choice)
        const seconds = Math.min(...answers.map(({ ttl }) => ttl))
        return { addresses: answers.map(({ address }) => address), ttlMs: seconds * 1000 }
      } catch (error) {
        failure = error
        // A server that does not answer will not answer for another name either.
        if (!isAbsence(error)) break
      }
    }
    throw new WeftError('NAME_UNRESOLVED', `${host} has no address: ${reasonFrom(failure)}`, {
      cause: failure,
    })
  }

  async #answers(name: string, { families, which }: FamilyChoice): Promise<readonly Answer[]> {
    const found: Answer[] = []
    let failure: unknown
    for (const family of families) {
      try {
        found.push(...(await this.#query(name, family)))
        if (which === 'first' && found.length > 0) break
      } catch (error) {
        failure = error
        if (!isAbsence(error)) break
      }
    }
    if (found.length === 0) throw failure
    return found
  }

  #query(name: string, family: IpFamily): Promise<readonly Answer[]> {
    return family === 4
      ? this.#resolver.resolve4(name, { ttl: true })
      : this.#resolver.resolve6(name, { ttl: true })
  }
}

function chosen(
  { families, which }: FamilyChoice,
  of: (family: IpFamily) => readonly string[],
): readonly string[] {
  const each = families.map(of)
  return which === 'all' ? each.flat() : (each.find((addresses) => addresses.length > 0) ?? [])
}

/** There is no such name, or nothing of the kind. */
function isAbsence(error: unknown): boolean {
  return ['ENOTFOUND', 'ENODATA'].includes((error as NodeJS.ErrnoException).code ?? '')
}

/** c-ares' own word, without the name that it repeats. */
function reasonFrom(error: unknown): string {
  return (error as NodeJS.ErrnoException | undefined)?.code ?? 'no answer'
}

/** Finds the rule of an exchange: the virtual host by authority, then the first rule that matches. */
import type { Exchange } from '../exchange.ts'
import { compileMatch, type Predicate } from './match.ts'
import type { RouteRule, VirtualHostRules } from './route-rule.ts'

type Entry<T> = { readonly predicate: Predicate | undefined; readonly target: T }

/** `T` is whatever the caller prepared per rule (a handler chain). Built once, then only read. */
export class RouteTable<T> {
  readonly #exact = new Map<string, readonly Entry<T>[]>()
  readonly #suffixes: { readonly suffix: string; readonly entries: readonly Entry<T>[] }[] = []
  #any: readonly Entry<T>[] | undefined
  /** Set when every request takes the same way: no look-up at all. */
  readonly #single: T | undefined

  /** Throws SyntaxError when a regex cannot be compiled; validation has refused those before. */
  constructor(hosts: readonly VirtualHostRules[], prepare: (rule: RouteRule) => T) {
    for (const host of hosts) {
      const entries = host.rules.map((rule) => ({
        predicate: compileMatch(rule.match),
        target: prepare(rule),
      }))
      for (const domain of host.domains) this.#addDomain(domain.toLowerCase(), entries)
    }
    // Longest suffix first, as the most specific one.
    this.#suffixes.sort((a, b) => b.suffix.length - a.suffix.length)
    const onlyAny = this.#exact.size === 0 && this.#suffixes.length === 0
    const first = onlyAny ? this.#any?.[0] : undefined
    this.#single = first !== undefined && first.predicate === undefined ? first.target : undefined
  }

  /** What was prepared for the first rule that matches, or undefined. */
  find(x: Exchange): T | undefined {
    if (this.#single !== undefined) return this.#single
    const entries = this.#entriesFor(x.authority)
    if (entries === undefined) return undefined
    for (const entry of entries) if (entry.predicate === undefined || entry.predicate(x)) return entry.target
    return undefined
  }

  #addDomain(domain: string, entries: readonly Entry<T>[]): void {
    if (domain === '*') this.#any ??= entries
    else if (domain.startsWith('*')) this.#suffixes.push({ suffix: domain.slice(1), entries })
    else if (!this.#exact.has(domain)) this.#exact.set(domain, entries)
  }

  #entriesFor(authority: string): readonly Entry<T>[] | undefined {
    if (this.#exact.size === 0 && this.#suffixes.length === 0) return this.#any
    const lower = authority.toLowerCase()
    const exact = this.#exact.get(lower) ?? this.#exact.get(withoutPort(lower))
    if (exact !== undefined) return exact
    const bare = withoutPort(lower)
    for (const { suffix, entries } of this.#suffixes) if (bare.endsWith(suffix)) return entries
    return this.#any
  }
}

function withoutPort(authority: string): string {
  const colon = authority.lastIndexOf(':')
  return colon > authority.lastIndexOf(']') ? authority.slice(0, colon) : authority
}

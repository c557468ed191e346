/** Finds the rule of an exchange: the virtual host by authority, then the first rule that matches. */
import type { Exchange } from '../exchange.ts'
import { addRule, PathIndex } from './path-index.ts'
import { withoutDotSegments } from './readable-path.ts'
import { RequestFacts } from './request-facts.ts'
import type { RouteRule, VirtualHostRules } from './route-rule.ts'

/** `T` is whatever the caller prepared per rule (a handler chain). Built once, then only read. */
export class RouteTable<T> {
  readonly #exact = new Map<string, PathIndex<T>>()
  readonly #suffixes: { readonly suffix: string; readonly index: PathIndex<T> }[] = []
  #any: PathIndex<T> | undefined
  /** Set when every request takes the same way: no look-up at all. */
  readonly #single: T | undefined
  /** One for all requests, as each is looked up to its end before the next. */
  readonly #facts: RequestFacts

  /** Throws SyntaxError when a regex cannot be compiled; validation has refused those before. */
  constructor(
    hosts: readonly VirtualHostRules[],
    prepare: (rule: RouteRule) => T,
    random: () => number = Math.random,
  ) {
    this.#facts = new RequestFacts(random)
    for (const host of hosts) {
      const index = new PathIndex<T>()
      for (const rule of host.rules) addRule(index, rule.match, prepare(rule))
      for (const domain of host.domains) this.#addDomain(domain.toLowerCase(), index)
    }
    // Longest suffix first, as the most specific one.
    this.#suffixes.sort((a, b) => b.suffix.length - a.suffix.length)
    const onlyAny = this.#exact.size === 0 && this.#suffixes.length === 0
    this.#single = onlyAny ? this.#any?.only : undefined
  }

  /** What was prepared for the first rule that matches, or undefined. */
  find(x: Exchange): T | undefined {
    if (this.#single !== undefined) return this.#single
    const index = this.#indexFor(x.authority)
    if (index === undefined) return undefined
    // Where a server would look for it: what a route decides is what is sent.
    x.target = withoutDotSegments(x.target)
    this.#facts.take(x.target)
    return index.find(x, this.#facts)
  }

  #addDomain(domain: string, index: PathIndex<T>): void {
    if (domain === '*') this.#any ??= index
    else if (domain.startsWith('*')) this.#suffixes.push({ suffix: domain.slice(1), index })
    else if (!this.#exact.has(domain)) this.#exact.set(domain, index)
  }

  #indexFor(authority: string): PathIndex<T> | undefined {
    if (this.#exact.size === 0 && this.#suffixes.length === 0) return this.#any
    const lower = authority.toLowerCase()
    const exact = this.#exact.get(lower) ?? this.#exact.get(withoutPort(lower))
    if (exact !== undefined) return exact
    const bare = withoutPort(lower)
    for (const { suffix, index } of this.#suffixes) if (bare.endsWith(suffix)) return index
    return this.#any
  }
}

/** `host` of `host[:port]`. */
export function withoutPort(authority: string): string {
  const colon = authority.lastIndexOf(':')
  return colon > authority.lastIndexOf(']') ? authority.slice(0, colon) : authority
}

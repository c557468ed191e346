/** What the rules of a port say of one peer: looked up once for its connection. */
import type { Exchange } from '../exchange.ts'
import type { AccessTable } from './access-table.ts'
import type { CompiledRule } from './compiled-rule.ts'
import type { Peer } from './peer.ts'
import type { RequestView } from './permission.ts'
import { firstOf, type RuleGroup } from './rule-index.ts'

export class PeerAccess {
  readonly table: AccessTable
  readonly peer: Peer
  readonly #deny: readonly RuleGroup[]
  readonly #allow: readonly RuleGroup[]
  readonly #audit: readonly RuleGroup[]
  /** What was found out of rules that take more than a look-up. */
  readonly #meant = new Map<CompiledRule, boolean>()

  constructor(table: AccessTable, peer: Peer) {
    this.table = table
    this.peer = peer
    this.#deny = table.deny.groupsOf(peer)
    this.#allow = table.allow.groupsOf(peer)
    this.#audit = table.audit.groupsOf(peer)
  }

  isMeantBy(rule: CompiledRule): boolean {
    if (rule.peer === undefined) return true
    const known = this.#meant.get(rule)
    if (known !== undefined) return known
    const meant = rule.peer(this.peer)
    this.#meant.set(rule, meant)
    return meant
  }

  /** The rule that decides on a request. */
  decide(x: Exchange, view: RequestView): CompiledRule {
    if (this.#deny.length > 0) {
      view.path = view.broad
      const denying = firstOf(this.#deny, x, view)
      if (denying !== undefined) return denying
    }
    view.path = view.read
    return firstOf(this.#allow, x, view) ?? this.table.otherwise
  }

  /** The rule that is only to be told of. */
  audited(x: Exchange, view: RequestView): CompiledRule | undefined {
    if (this.#audit.length === 0) return undefined
    view.path = view.broad
    return firstOf(this.#audit, x, view)
  }

  /** As `decide`, of a connection whose requests, if it has any, nobody sees. */
  decideConnection(): CompiledRule {
    return (
      this.#firstOfConnections(this.#deny) ?? this.#firstOfConnections(this.#allow) ?? this.table.otherwise
    )
  }

  auditedConnection(): CompiledRule | undefined {
    return this.#firstOfConnections(this.#audit)
  }

  #firstOfConnections(groups: readonly RuleGroup[]): CompiledRule | undefined {
    const meant = groups.flatMap(({ ofConnections }) => ofConnections.filter((rule) => this.isMeantBy(rule)))
    return meant.toSorted((a, b) => a.order - b.order)[0]
  }
}

/** Rules by who they mean, then by path: what is looked at for one request does not grow with their number. */
import type { Exchange } from '../exchange.ts'
import { PathIndex } from '../route/path-index.ts'
import type { PathMatch } from '../route/route-rule.ts'
import type { CompiledRule } from './compiled-rule.ts'
import { keysOf, type Peer } from './peer.ts'
import type { RequestView } from './permission.ts'

const anywhere: readonly PathMatch[] = [{ kind: 'prefix', value: '/' }]

/** Of rules that mean the same peers, as far as that is looked up. */
export type RuleGroup = {
  readonly byPath: PathIndex<CompiledRule, RequestView>
  /** In their order: connections have no path to be found by. */
  readonly ofConnections: CompiledRule[]
}

function makeGroup(): RuleGroup {
  return { byPath: new PathIndex(), ofConnections: [] }
}

export class RuleIndex {
  readonly #byKey = new Map<string, RuleGroup>()
  /** Rules that mean more than can be looked up by a name. */
  #others: RuleGroup | undefined

  constructor(rules: readonly CompiledRule[]) {
    for (const rule of rules) for (const group of this.#groupsFor(rule)) addTo(group, rule)
  }

  /** What there may be for a peer. */
  groupsOf(peer: Peer): readonly RuleGroup[] {
    const named = keysOf(peer).flatMap((key) => this.#byKey.get(key) ?? [])
    return this.#others === undefined ? named : [...named, this.#others]
  }

  #groupsFor({ keys }: CompiledRule): readonly RuleGroup[] {
    if (keys === undefined) return [(this.#others ??= makeGroup())]
    return [...new Set(keys)].map((key) => {
      const group = this.#byKey.get(key) ?? makeGroup()
      this.#byKey.set(key, group)
      return group
    })
  }
}

function addTo({ byPath, ofConnections }: RuleGroup, rule: CompiledRule): void {
  for (const path of rule.paths ?? anywhere) byPath.add(path, rule.matches, rule)
  if (rule.meansConnections) ofConnections.push(rule)
}

/** The first rule of any of the groups, in the order of all. */
export function firstOf(
  groups: readonly RuleGroup[],
  x: Exchange,
  view: RequestView,
): CompiledRule | undefined {
  let first: CompiledRule | undefined
  for (let i = 0; i < groups.length; i++) {
    const found = (groups[i] as RuleGroup).byPath.find(x, view)
    if (found !== undefined && (first === undefined || found.order < first.order)) first = found
  }
  return first
}

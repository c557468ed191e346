/** A rule made ready for one port. */
import type { Exchange } from '../exchange.ts'
import type { PathMatch } from '../route/route-rule.ts'
import type { AccessRule } from './access-rules.ts'
import { type PeerPredicate, peerPredicate, requiredKeys } from './peer.ts'
import {
  asksForPath,
  atPort,
  isNone,
  meansConnection,
  type RequestPredicate,
  requestPredicate,
  requiredPaths,
} from './permission.ts'

export type RuleAction = 'allow' | 'deny' | 'audit'

export class CompiledRule {
  readonly name: string
  readonly action: RuleAction
  /** Its place among those of its action. */
  readonly order: number
  /** Where it is looked for; undefined: everywhere. */
  readonly keys: readonly string[] | undefined
  readonly paths: readonly PathMatch[] | undefined
  /** It may mean connections whose requests nobody sees. */
  readonly meansConnections: boolean
  /** Undefined: everybody. */
  readonly peer: PeerPredicate | undefined
  readonly #request: RequestPredicate | undefined

  constructor(rule: AccessRule & { readonly action: RuleAction; readonly order: number }) {
    const { name, action, order, permission, principal } = rule
    const broad = action !== 'allow'
    this.name = name
    this.action = action
    this.order = order
    this.keys = requiredKeys(principal)
    this.paths = requiredPaths(permission, broad)
    this.meansConnections = meansConnection(permission, action === 'deny')
    this.peer = principal.kind === 'any' ? undefined : peerPredicate(principal)
    this.#request = permission.kind === 'any' ? undefined : requestPredicate(permission, broad)
  }

  readonly matches: RequestPredicate = (x: Exchange, view) =>
    view.peer.isMeantBy(this) && (this.#request === undefined || this.#request(x, view))
}

/** Those that can match at a port, in their order. Throws SyntaxError on a regex that cannot be used. */
export function compileRules(
  rules: readonly AccessRule[],
  action: RuleAction,
  port: number,
): readonly CompiledRule[] {
  return rules.flatMap(({ name, permission, principal }, order) => {
    const here = atPort(permission, port)
    return isNone(here) ? [] : [new CompiledRule({ name, action, order, permission: here, principal })]
  })
}

export function readsPaths(rules: readonly AccessRule[], port: number): boolean {
  return rules.some(({ permission }) => asksForPath(atPort(permission, port)))
}

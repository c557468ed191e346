/** The rules of one port, made ready: built when configuration changes, then only read. */
import { broadForm, type ReadablePath } from '../route/readable-path.ts'
import type { AccessRule, AccessRules } from './access-rules.ts'
import { CompiledRule, compileRules, readsPaths } from './compiled-rule.ts'
import { type Peer, refusesClear } from './peer.ts'
import { PeerAccess } from './peer-access.ts'
import type { RequestView } from './permission.ts'
import { RuleIndex } from './rule-index.ts'

/** What nobody has said anything about is allowed. */
const defaultRule = 'default'

/** What takes everything names nothing: it decides where no other rule does. */
function isCatchAll({ permission, principal }: AccessRule): boolean {
  return permission.kind === 'any' && principal.kind === 'any'
}

function otherwiseOf({ allow, otherwise }: AccessRules): CompiledRule {
  const everything = { permission: { kind: 'any' }, principal: { kind: 'any' }, order: Infinity } as const
  if (allow === undefined) return new CompiledRule({ name: defaultRule, action: 'allow', ...everything })
  const catchAll = allow.find(isCatchAll)
  return catchAll === undefined
    ? new CompiledRule({ name: otherwise, action: 'deny', ...everything })
    : new CompiledRule({ name: catchAll.name, action: 'allow', ...everything })
}

export class AccessTable {
  readonly deny: RuleIndex
  readonly allow: RuleIndex
  readonly audit: RuleIndex
  /** What becomes of the rest. */
  readonly otherwise: CompiledRule
  /** Requests have to have one path only, whoever reads it. */
  readonly readsPaths: boolean
  /** Nobody in clear gets anywhere. */
  readonly refusesClear: boolean
  /** One for all requests, as each is decided before the next. */
  readonly #view: RequestView = {
    path: '',
    read: '',
    broad: '',
    peer: undefined as unknown as PeerAccess,
  }

  /** Throws SyntaxError on a regex that cannot be used; validation has refused those before. */
  constructor(rules: AccessRules, port: number) {
    const { deny, allow = [], audit } = rules
    const named = allow.filter((rule) => !isCatchAll(rule))
    this.deny = new RuleIndex(compileRules(deny, 'deny', port))
    this.allow = new RuleIndex(compileRules(named, 'allow', port))
    this.audit = new RuleIndex(compileRules(audit, 'audit', port))
    this.otherwise = otherwiseOf(rules)
    this.readsPaths = [deny, allow, audit].some((list) => readsPaths(list, port))
    this.refusesClear = deny.some(refusesClear)
  }

  forPeer(peer: Peer): PeerAccess {
    return new PeerAccess(this, peer)
  }

  /** What rules look at of a request; `path` is its own, where paths are read. */
  viewOf(peer: PeerAccess, path: ReadablePath | undefined): RequestView {
    const view = this.#view
    view.peer = peer
    if (path !== undefined) {
      view.read = path.read
      view.broad = broadForm(path.read)
    }
    return view
  }
}

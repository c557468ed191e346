/** Who may reach one port: rules that change while connections stay, for requests and for connections. */
import { errorCodes, WeftError } from '../core/errors.ts'
import type { AccessRules } from './authz/access-rules.ts'
import { AccessTable } from './authz/access-table.ts'
import type { CompiledRule } from './authz/compiled-rule.ts'
import type { Peer } from './authz/peer.ts'
import type { PeerAccess } from './authz/peer-access.ts'
import type { Layer } from './layer.ts'
import { authorize } from './layers/authorize.ts'
import { SwappableLayers } from './swappable-layers.ts'
import type { AccessCounts, AccessStats } from './telemetry/access-stats.ts'
import type { Labels } from './telemetry/series-table.ts'

/** The names of rules are `<kind>/<namespace>/<name>/<rule>`. */
function labelsOf({ name }: CompiledRule, { principal }: Peer, port: number): Labels {
  const [kind = '', namespace = '', object = '', rule = ''] = name.split('/')
  return {
    target_port: String(port),
    tls: String(principal !== undefined),
    ...(principal === undefined ? {} : { client_id: principal }),
    authz_kind: kind,
    ...(namespace === '' ? {} : { authz_namespace: namespace }),
    ...(object === '' ? {} : { authz_name: object }),
    ...(rule === '' ? {} : { authz_rule: rule }),
  }
}

/** What is said of a connection whose bytes nobody looks at. */
export type ConnectionDecision = {
  /** The rules that decided, and that would have; left out: there are none. */
  readonly rules: { readonly rule?: string; readonly auditRule?: string }
  /** REQUEST_DENIED; undefined: it may pass. */
  readonly denial: WeftError | undefined
}

const noRules: ConnectionDecision = { rules: {}, denial: undefined }

export class PortAccess {
  readonly #port: number
  readonly #counts: AccessCounts
  readonly #swappable = new SwappableLayers()
  #text = ''
  #table: AccessTable | undefined

  constructor(port: number, counts: AccessCounts) {
    this.#port = port
    this.#counts = counts
  }

  get layer(): Layer {
    return this.#swappable.layer
  }

  /** Nobody in clear gets anywhere here, whatever it says. */
  get refusesClear(): boolean {
    return this.#table?.refusesClear === true
  }

  /** In force for the next request, of connections that stand as well. */
  set(rules: AccessRules | undefined): void {
    const text = JSON.stringify(rules) ?? ''
    if (text === this.#text) return
    this.#text = text
    this.#table = rules && new AccessTable(rules, this.#port)
    const table = this.#table
    this.#swappable.set(table === undefined ? [] : [authorize(table, this.#statsOf(this.#counts.http))])
  }

  /** Counts what is decided. */
  decideConnection(peer: Peer): ConnectionDecision {
    const access = this.#table?.forPeer(peer)
    if (access === undefined) return noRules
    const statsOf = this.#statsOf(this.#counts.tcp)
    const audited = access.auditedConnection()
    if (audited !== undefined) statsOf(audited, access).audited++
    const rule = access.decideConnection()
    const { name } = rule
    const rules = audited === undefined ? { rule: name } : { rule: name, auditRule: audited.name }
    const stats = statsOf(rule, access)
    if (rule.action !== 'deny') {
      stats.allowed++
      return { rules, denial: undefined }
    }
    stats.denied++
    const denial = new WeftError('REQUEST_DENIED', `${errorCodes.REQUEST_DENIED.summary}: ${name}`)
    return { rules, denial }
  }

  #statsOf(series: AccessCounts['http']): (rule: CompiledRule, access: PeerAccess) => AccessStats {
    const found = new WeakMap<PeerAccess, Map<CompiledRule, AccessStats>>()
    return (rule, access) => {
      let ofPeer = found.get(access)
      if (ofPeer === undefined) found.set(access, (ofPeer = new Map()))
      const known = ofPeer.get(rule)
      if (known !== undefined) return known
      const made = series.for(labelsOf(rule, access.peer, this.#port))
      ofPeer.set(rule, made)
      return made
    }
  }
}

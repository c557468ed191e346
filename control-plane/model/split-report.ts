/** A TrafficSplit as people ask for it: what each backend should get and what it gets now, port by port. Pure. */
import { keyOf, type MeshModel } from './mesh-model.ts'
import type { Split } from './objects.ts'
import { leftOut, type LeftOutReason, splitBackends } from './split.ts'
import { type SplitCondition, splitStatus } from './split-status.ts'

export type BackendReport = {
  readonly service: string
  readonly weightMilli: number
  readonly readyEndpoints: number
  /** Share of the split requests that it gets now. */
  readonly sharePercent: number
  /** Why it gets nothing; undefined when it gets something. */
  readonly leftOut: LeftOutReason | 'ZeroWeight' | 'NoReadyEndpoint' | 'NotInForce' | undefined
}

export type SplitReport = {
  readonly namespace: string
  readonly name: string
  readonly apex: string
  readonly matches: readonly string[]
  readonly conditions: readonly SplitCondition[]
  readonly ports: readonly {
    readonly port: number
    /** Who decides there: this split, a route or an older split, or the apex, which has nobody to send to. */
    readonly servedBy: 'split' | 'route' | 'other-split' | 'apex'
    readonly backends: readonly BackendReport[]
  }[]
}

type Port = SplitReport['ports'][number]

function servedBy(model: MeshModel, split: Split, port: number): Port['servedBy'] {
  const apexKey = keyOf(split.namespace, split.apex)
  if (model.routes(apexKey, port).length > 0) return 'route'
  if (model.splits(apexKey)[0] !== split) return 'other-split'
  return splitBackends(model, split, port).length === 0 ? 'apex' : 'split'
}

function readyEndpoints(model: MeshModel, split: Split, service: string, port: number): number {
  const key = keyOf(split.namespace, service)
  const name = model.service(key)?.ports.find((candidate) => candidate.port === port)?.name
  return name === undefined ? 0 : model.endpoints(key, name).length
}

function portReport(model: MeshModel, split: Split, port: number): Port {
  const decides = servedBy(model, split, port)
  const facts = split.backends.map(({ service, weightMilli }) => {
    const ready = readyEndpoints(model, split, service, port)
    let reason: BackendReport['leftOut'] = leftOut(model, split, service, port)
    if (reason === undefined && weightMilli === 0) reason = 'ZeroWeight'
    if (reason === undefined && ready === 0) reason = 'NoReadyEndpoint'
    if (reason === undefined && decides !== 'split') reason = 'NotInForce'
    return { service, weightMilli, readyEndpoints: ready, leftOut: reason }
  })
  const total = facts.reduce((sum, fact) => sum + (fact.leftOut === undefined ? fact.weightMilli : 0), 0)
  const backends = facts.map((fact) => ({
    ...fact,
    sharePercent: fact.leftOut === undefined ? (100 * fact.weightMilli) / total : 0,
  }))
  return { port, servedBy: decides, backends }
}

export function splitReport(model: MeshModel, split: Split): SplitReport {
  const { namespace, name, apex, matches } = split
  const ports = model.service(keyOf(namespace, apex))?.ports ?? []
  return {
    namespace,
    name,
    apex,
    matches,
    conditions: splitStatus(model, split).conditions,
    ports: ports.map(({ port }) => portReport(model, split, port)),
  }
}

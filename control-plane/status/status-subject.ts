/** The kinds of objects that have a status from us: where they are in the API, and what there is to say about each. */
import { keyOf, type MeshModel } from '../model/mesh-model.ts'
import type { AccessPolicy, IdentityBinding, TrafficTarget } from '../model/access-policy.ts'
import {
  accessPolicyConditions,
  identityBindingConditions,
  trafficTargetConditions,
} from '../model/access-status.ts'
import type { Change, Split, TrafficPolicy } from '../model/objects.ts'
import { policyCondition, policyStatus } from '../model/policy-status.ts'
import type { Route } from '../model/route.ts'
import { routeStatus } from '../model/route-status.ts'
import { splitStatus } from '../model/split-status.ts'
import { accessPolicies } from '../providers/kubernetes/kinds/access-policies.ts'
import { grpcRoutes } from '../providers/kubernetes/kinds/grpc-routes.ts'
import { httpRoutes } from '../providers/kubernetes/kinds/http-routes.ts'
import { identityBindings } from '../providers/kubernetes/kinds/identity-bindings.ts'
import { trafficPolicies } from '../providers/kubernetes/kinds/traffic-policies.ts'
import { trafficSplits } from '../providers/kubernetes/kinds/traffic-splits.ts'
import { trafficTargets } from '../providers/kubernetes/kinds/traffic-targets.ts'
import type { WatchedKind } from '../providers/kubernetes/watched-kind.ts'
import { mergedConditions, mergedRouteStatus, type Observation } from './merged-status.ts'

export type Subject =
  | { readonly kind: 'route' | 'grpcRoute'; readonly value: Route }
  | { readonly kind: 'split'; readonly value: Split }
  | { readonly kind: 'policy'; readonly value: TrafficPolicy }
  | { readonly kind: 'accessPolicy'; readonly value: AccessPolicy }
  | { readonly kind: 'trafficTarget'; readonly value: TrafficTarget }
  | { readonly kind: 'identityBinding'; readonly value: IdentityBinding }

export const watchedKindOf: Readonly<Record<Subject['kind'], WatchedKind>> = {
  route: httpRoutes,
  grpcRoute: grpcRoutes,
  split: trafficSplits,
  policy: trafficPolicies,
  accessPolicy: accessPolicies,
  trafficTarget: trafficTargets,
  identityBinding: identityBindings,
}

const subjectKinds = Object.keys(watchedKindOf) as readonly Subject['kind'][]

/** By Kubernetes' name of a kind; undefined: it has no status from us. */
export function subjectKindOf(kind: string): Subject['kind'] | undefined {
  return subjectKinds.find((candidate) => watchedKindOf[candidate].kind === kind)
}

export function idOf({ kind, value }: Subject): string {
  return `${kind} ${keyOf(value.namespace, value.name)}`
}

/** Undefined: it is gone, or of a kind without a status. */
export function subjectOf(change: Change): Subject | undefined {
  if (change.value === undefined) return undefined
  if (change.kind === 'route' || change.kind === 'grpcRoute') return route(change.value)
  if (change.kind === 'split') return { kind: 'split', value: change.value }
  if (change.kind === 'policy') return { kind: 'policy', value: change.value }
  if (change.kind === 'accessPolicy') return accessPolicy(change.value)
  if (change.kind === 'trafficTarget') return trafficTarget(change.value)
  if (change.kind === 'identityBinding') return identityBinding(change.value)
  return undefined
}

const route = (value: Route): Subject => ({
  kind: value.kind === 'GRPCRoute' ? 'grpcRoute' : 'route',
  value,
})
const split = (value: Split): Subject => ({ kind: 'split', value })
const policy = (value: TrafficPolicy): Subject => ({ kind: 'policy', value })
const accessPolicy = (value: AccessPolicy): Subject => ({ kind: 'accessPolicy', value })
const trafficTarget = (value: TrafficTarget): Subject => ({ kind: 'trafficTarget', value })
const identityBinding = (value: IdentityBinding): Subject => ({ kind: 'identityBinding', value })

export function subjectsNaming(model: MeshModel, serviceKey: string): readonly Subject[] {
  return [
    ...model.routesNaming(serviceKey).map(route),
    ...model.splits(serviceKey).map(split),
    ...model.traffic.naming(serviceKey).map(policy),
  ]
}

/** Those that are about the pods of a namespace, or mean them as clients, and nobody where there are none. */
export function accessSubjects(model: MeshModel, namespace: string): readonly Subject[] {
  return [
    ...model.access.policiesIn(namespace).map(accessPolicy),
    ...model.access.targetsIn(namespace).map(trafficTarget),
    ...model.access.targetsBoundIn(namespace).map(trafficTarget),
    ...model.access.bindingsIn(namespace).map(identityBinding),
  ]
}

export function allSubjects(model: MeshModel): readonly Subject[] {
  return [
    ...[...model.allRoutes()].map(route),
    ...[...model.allSplits()].map(split),
    ...[...model.traffic.all()].map(policy),
    ...[...model.access.allPolicies()].map(accessPolicy),
    ...[...model.access.allTargets()].map(trafficTarget),
    ...[...model.access.allBindings()].map(identityBinding),
  ]
}

/** What there is to say now, without times: equal as long as nothing has to be said anew. */
export function statusOf(model: MeshModel, { kind, value }: Subject): object {
  switch (kind) {
    case 'route':
    case 'grpcRoute':
      return routeStatus(model, value)
    case 'split':
      return splitStatus(model, value)
    case 'policy':
      return policyCondition(policyStatus(model, value))
    case 'accessPolicy':
      return accessPolicyConditions(model, value)
    case 'trafficTarget':
      return trafficTargetConditions(model, value)
    case 'identityBinding':
      return identityBindingConditions(model, value)
  }
}

/** `current` with what we have to say in it. */
export function mergedStatus(
  model: MeshModel,
  { kind, value }: Subject,
  current: unknown,
  seen: Observation,
): object {
  switch (kind) {
    case 'route':
    case 'grpcRoute':
      return mergedRouteStatus(current, routeStatus(model, value), seen)
    case 'split':
      return mergedConditions(current, splitStatus(model, value).conditions, seen)
    case 'policy':
      return mergedConditions(current, [policyCondition(policyStatus(model, value))], seen)
    case 'accessPolicy':
      return mergedConditions(current, accessPolicyConditions(model, value), seen)
    case 'trafficTarget':
      return mergedConditions(current, trafficTargetConditions(model, value), seen)
    case 'identityBinding':
      return mergedConditions(current, identityBindingConditions(model, value), seen)
  }
}

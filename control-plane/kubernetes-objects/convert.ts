/** Kubernetes objects -> changes of the mesh model: finds the converter by kind. */
import type { Change } from '../model/objects.ts'
import { convertAccessPolicy } from './access-policy.ts'
import { convertEndpointSlice } from './endpoint-slice.ts'
import { FieldReader, type FieldProblem } from './field-reader.ts'
import { convertGrpcRoute } from './grpc-route.ts'
import { convertHttpRoute } from './http-route.ts'
import { convertHttpRouteGroup, convertSmiTcpRoute } from './http-route-group.ts'
import { convertIdentityBinding } from './identity-binding.ts'
import { convertNamespace } from './namespace.ts'
import { convertNode } from './node.ts'
import { convertPod } from './pod.ts'
import { convertReferenceGrant } from './reference-grant.ts'
import { convertService } from './service.ts'
import { convertTrafficPolicy } from './traffic-policy.ts'
import { convertTrafficSplit } from './traffic-split.ts'
import { convertTrafficTarget } from './traffic-target.ts'

export type ObjectHead = {
  readonly namespace: string
  readonly name: string
  readonly key: string
  readonly createdMs: number | undefined
}
type Converter = (object: FieldReader, head: ObjectHead) => Change | undefined

const smi = (group: string): string[] =>
  ['v1alpha1', 'v1alpha2', 'v1alpha3', 'v1alpha4'].map((version) => `${group}.smi-spec.io/${version}`)

const converters: readonly {
  readonly kind: string
  readonly versions: readonly string[]
  readonly namespaced: boolean
  readonly convert: Converter
}[] = [
  { kind: 'Namespace', versions: ['v1'], namespaced: false, convert: convertNamespace },
  { kind: 'Node', versions: ['v1'], namespaced: false, convert: convertNode },
  { kind: 'Service', versions: ['v1'], namespaced: true, convert: convertService },
  { kind: 'Pod', versions: ['v1'], namespaced: true, convert: convertPod },
  // Known, but there is nothing in it that the mesh needs: identities are proven by tokens.
  { kind: 'ServiceAccount', versions: ['v1'], namespaced: true, convert: () => undefined },
  {
    kind: 'EndpointSlice',
    versions: ['discovery.k8s.io/v1'],
    namespaced: true,
    convert: convertEndpointSlice,
  },
  { kind: 'TrafficPolicy', versions: ['weft.dev/v1alpha1'], namespaced: true, convert: convertTrafficPolicy },
  { kind: 'AccessPolicy', versions: ['weft.dev/v1alpha1'], namespaced: true, convert: convertAccessPolicy },
  { kind: 'TrafficSplit', versions: smi('split'), namespaced: true, convert: convertTrafficSplit },
  { kind: 'TrafficTarget', versions: smi('access'), namespaced: true, convert: convertTrafficTarget },
  {
    kind: 'IdentityBinding',
    versions: ['access.smi-spec.io/v1alpha4'],
    namespaced: true,
    convert: convertIdentityBinding,
  },
  { kind: 'HTTPRouteGroup', versions: smi('specs'), namespaced: true, convert: convertHttpRouteGroup },
  { kind: 'TCPRoute', versions: smi('specs'), namespaced: true, convert: convertSmiTcpRoute },
  {
    kind: 'HTTPRoute',
    versions: ['gateway.networking.k8s.io/v1', 'gateway.networking.k8s.io/v1beta1'],
    namespaced: true,
    convert: convertHttpRoute,
  },
  {
    kind: 'GRPCRoute',
    versions: ['gateway.networking.k8s.io/v1'],
    namespaced: true,
    convert: convertGrpcRoute,
  },
  {
    kind: 'ReferenceGrant',
    versions: ['v1', 'v1beta1', 'v1alpha2'].map((version) => `gateway.networking.k8s.io/${version}`),
    namespaced: true,
    convert: convertReferenceGrant,
  },
]

export type Converted =
  | { readonly outcome: 'converted'; readonly identity: string; readonly change: Change | undefined }
  | { readonly outcome: 'ignored'; readonly kind: string }
  | { readonly outcome: 'refused'; readonly identity: string; readonly problems: readonly FieldProblem[] }

const nameForm = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/

function readHead(object: FieldReader, namespaced: boolean): ObjectHead {
  const metadata = object.at('metadata')
  const name = metadata.at('name').requiredString()
  if (name !== '' && !nameForm.test(name)) metadata.at('name').problem('must be a DNS name in lower case')
  const namespace = namespaced ? (metadata.at('namespace').string() ?? 'default') : ''
  const created = metadata.at('creationTimestamp')
  const createdText = created.raw instanceof Date ? created.raw.toISOString() : created.string()
  const createdMs = createdText === undefined ? undefined : Date.parse(createdText)
  if (Number.isNaN(createdMs)) created.problem('must be a time')
  return { namespace, name, key: namespaced ? `${namespace}/${name}` : name, createdMs }
}

/** Converts one parsed object. Kinds that the mesh does not read are ignored; anything wrong refuses the whole object. */
export function convertObject(value: unknown): Converted {
  const problems: FieldProblem[] = []
  const object = new FieldReader(value, problems)
  const kind = object.at('kind').requiredString()
  const apiVersion = object.at('apiVersion').requiredString()
  const known = converters.filter((entry) => entry.kind === kind)
  const converter = known.find((entry) => entry.versions.includes(apiVersion))
  if (problems.length === 0 && converter === undefined) {
    const group = apiVersion.split('/')[0] as string
    const ours = known.find((entry) =>
      entry.versions.some((version) => version.split('/')[0] === group && version.includes('/')),
    )
    if (ours === undefined) return { outcome: 'ignored', kind }
    object.at('apiVersion').problem(`must be one of ${ours.versions.join(', ')}`)
  }
  if (converter === undefined) return { outcome: 'refused', identity: kind, problems }
  const head = readHead(object, converter.namespaced)
  const change = converter.convert(object, head)
  const identity = `${kind} ${head.key}`
  if (problems.length > 0) return { outcome: 'refused', identity, problems }
  return { outcome: 'converted', identity, change }
}

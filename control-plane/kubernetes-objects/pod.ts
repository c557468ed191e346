import { annotations, parseInboundAnnotation } from '../../api/annotations.ts'
import type { Change, Workload } from '../model/objects.ts'
import { readBypassedPorts } from './bypassed-ports.ts'
import type { ObjectHead } from './convert.ts'
import type { FieldReader } from './field-reader.ts'
import { readInboundPolicy } from './inbound-policy.ts'
import { readInject } from './namespace.ts'
import { readOpaquePorts } from './opaque-ports.ts'

function readInbound(metadata: FieldReader): Workload['inbound'] {
  const text = metadata.at('annotations').strings()[annotations.inbound]
  if (text === undefined) return []
  const parsed = parseInboundAnnotation(text)
  if (parsed.ok) return parsed.mappings
  for (const problem of parsed.problems) metadata.at('annotations').at(annotations.inbound).problem(problem)
  return []
}

/** A ReplicaSet's name is its Deployment's and the template hash. */
function readOwner(
  metadata: FieldReader,
  labels: Readonly<Record<string, string>>,
): Pick<Workload, 'deployment' | 'owner'> {
  const hash = labels['pod-template-hash'] ?? labels['rollouts-pod-template-hash']
  const reference = metadata.at('ownerReferences').list()[0]
  const kind = reference?.at('kind').string()
  const name = reference?.at('name').string()
  const deployment = labels['weft.dev/deployment']
  if (kind === undefined || name === undefined) return { deployment, owner: undefined }
  if (kind === 'ReplicaSet' && hash !== undefined) {
    const own = name.endsWith(`-${hash}`) ? name.slice(0, -hash.length - 1) : name
    return { deployment: own, owner: undefined }
  }
  return { deployment, owner: `${kind.toLowerCase()}/${name}` }
}

/** Its own ones: those of a Pod on its node's network are the node's, and those of one that has ended may be another's. */
function readAddresses(object: FieldReader): readonly string[] {
  const status = object.at('status')
  const phase = status.at('phase').string()
  const ended = phase === 'Succeeded' || phase === 'Failed'
  if (ended || object.at('spec').at('hostNetwork').boolean() === true) return []
  const all = [
    status.at('podIP'),
    ...status
      .at('podIPs')
      .list()
      .map((entry) => entry.at('ip')),
  ]
  return [...new Set(all.flatMap((field) => field.string() ?? []))]
}

export function convertPod(object: FieldReader, { key, namespace, name }: ObjectHead): Change {
  const metadata = object.at('metadata')
  const labels = metadata.at('labels').strings()
  const ports = object
    .at('spec')
    .at('containers')
    .list()
    .flatMap((container) => container.at('ports').list())
    .flatMap((port) => port.at('containerPort').port() ?? [])
  const value: Workload = {
    namespace,
    name,
    node: object.at('spec').at('nodeName').string(),
    labels,
    serviceAccount: object.at('spec').at('serviceAccountName').string() ?? 'default',
    addresses: readAddresses(object),
    inject: readInject(object),
    inbound: readInbound(metadata),
    containerPorts: [...new Set(ports)],
    opaquePorts: readOpaquePorts(object),
    bypassedPorts: readBypassedPorts(object),
    inboundPolicy: readInboundPolicy(object),
    ...readOwner(metadata, labels),
    podTemplateHash: labels['pod-template-hash'] ?? labels['rollouts-pod-template-hash'],
  }
  return { kind: 'workload', key, value }
}

import { annotations, parseInboundAnnotation } from '../../api/annotations.ts'
import type { Change, Workload } from '../model/objects.ts'
import type { ObjectHead } from './convert.ts'
import type { FieldReader } from './field-reader.ts'
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

/** The Deployment's name: its ReplicaSet's, without the template hash. */
function deploymentOf(metadata: FieldReader, labels: Readonly<Record<string, string>>): string | undefined {
  const hash = labels['pod-template-hash'] ?? labels['rollouts-pod-template-hash']
  const owner = metadata.at('ownerReferences').list()[0]
  const ownerName = owner?.at('name').string()
  if (owner?.at('kind').string() === 'ReplicaSet' && ownerName !== undefined && hash !== undefined) {
    return ownerName.endsWith(`-${hash}`) ? ownerName.slice(0, -hash.length - 1) : ownerName
  }
  return labels['weft.dev/deployment']
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
    serviceAccount: object.at('spec').at('serviceAccountName').string() ?? 'default',
    inject: readInject(object),
    inbound: readInbound(metadata),
    containerPorts: [...new Set(ports)],
    opaquePorts: readOpaquePorts(object),
    deployment: deploymentOf(metadata, labels),
    podTemplateHash: labels['pod-template-hash'] ?? labels['rollouts-pod-template-hash'],
  }
  return { kind: 'workload', key, value }
}

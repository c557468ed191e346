import type { Change, ServicePort } from '../model/objects.ts'
import type { ObjectHead } from './convert.ts'
import type { FieldReader } from './field-reader.ts'
import { readOpaquePorts } from './opaque-ports.ts'
import { readTrafficAnnotations } from './traffic-annotations.ts'

function readPort(field: FieldReader): ServicePort[] {
  // The mesh carries TCP; a DNS Service has the same port number for UDP, too.
  if ((field.at('protocol').string() ?? 'TCP') !== 'TCP') return []
  const port = field.at('port').port()
  if (port === undefined && !field.at('port').present) field.at('port').problem('is required')
  const name = field.at('name').string() ?? ''
  const protocol = field.at('appProtocol').string() ?? ''
  return port === undefined ? [] : [{ name, port, protocol }]
}

const hostForm = /^(?=.{1,253}\.?$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\.?$/

/** Only there with the type: Kubernetes leaves the field where the type was changed. */
function readExternalName(spec: FieldReader): string | undefined {
  if (spec.at('type').string() !== 'ExternalName') return undefined
  const field = spec.at('externalName')
  const name = field.requiredString().toLowerCase()
  if (name !== '' && !hostForm.test(name)) field.problem('must be a DNS name')
  return name.replace(/\.$/, '')
}

export function convertService(object: FieldReader, { key, namespace, name }: ObjectHead): Change {
  const spec = object.at('spec')
  const single = spec.at('clusterIP').string()
  const several = spec
    .at('clusterIPs')
    .list()
    .flatMap((entry) => entry.string() ?? [])
  const clusterIps = [...new Set([...(single === undefined ? [] : [single]), ...several])].filter(
    (ip) => ip !== 'None' && ip !== '',
  )
  const ports = spec.at('ports').list().flatMap(readPort)
  if (ports.length > 1 && ports.some((port) => port.name === ''))
    spec.at('ports').problem('need names when there are several')
  const externalName = readExternalName(spec)
  const traffic = readTrafficAnnotations(object.at('metadata').at('annotations'))
  const opaquePorts = readOpaquePorts(object)
  const value = { namespace, name, clusterIps, ports, externalName, opaquePorts, traffic }
  return { kind: 'service', key, value }
}

/** AccessPolicy (weft.dev/v1alpha1) -> the model. */
import { isIP } from 'node:net'
import type {
  AccessOperation,
  AccessPath,
  AccessPolicy,
  AccessRule,
  AccessSource,
  AccessTarget,
  MtlsMode,
} from '../model/access-policy.ts'
import { meshNamespace } from '../model/access-set.ts'
import type { Change } from '../model/objects.ts'
import type { ObjectHead } from './convert.ts'
import type { FieldReader } from './field-reader.ts'
import { readTextMatch } from './route-fields.ts'
import { readServicePort } from './traffic-policy.ts'

const modes: readonly MtlsMode[] = ['strict', 'permissive']
const nameForm = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/
const accountForm = /^(?:[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\/)?[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/
const methodForm = /^[A-Z][A-Z-]{0,31}$/
/** An id, or a beginning or an end of one. */
const principalForm = /^(?:\*|\*?[A-Za-z0-9:/._-]+|[A-Za-z0-9:/._-]+\*)$/

const targetFields: Readonly<Record<string, readonly string[]>> = {
  Mesh: [],
  Namespace: ['name'],
  ServiceAccount: ['name'],
  Service: ['name', 'sectionName', 'port'],
  Pod: ['matchLabels'],
}

function readTarget(field: FieldReader, namespace: string): readonly AccessTarget[] {
  const kind = field.at('kind').choice(Object.keys(targetFields))
  if (kind === undefined) {
    if (!field.at('kind').present) field.at('kind').problem('is required')
    return []
  }
  const own = targetFields[kind] ?? []
  field.only(['group', 'kind', ...own])
  const group = field.at('group').string() ?? ''
  if (group !== '' && group !== (kind === 'Mesh' ? 'weft.dev' : 'core'))
    field.at('group').problem(kind === 'Mesh' ? 'must be weft.dev' : 'must be the core group')
  const name = own.includes('name') ? field.at('name').requiredString() : ''
  switch (kind) {
    case 'Mesh':
      if (namespace !== meshNamespace)
        field.at('kind').problem(`is for policies of namespace ${meshNamespace} alone`)
      return [{ kind: 'mesh' }]
    case 'Namespace':
      if (name !== '' && name !== namespace) field.at('name').problem(`must be ${namespace}, its own`)
      return [{ kind: 'namespace' }]
    case 'ServiceAccount':
      return [{ kind: 'serviceAccount', name }]
    case 'Service':
      return [{ kind: 'service', name, port: readServicePort(field) }]
    default: {
      const labels = field.at('matchLabels').strings()
      if (Object.keys(labels).length === 0) field.at('matchLabels').problem('must name a label')
      return [{ kind: 'pods', labels }]
    }
  }
}

function readMtls(field: FieldReader): Pick<AccessPolicy, 'mtls' | 'mtlsOfPorts'> {
  field.only(['mode', 'ports'])
  const mtlsOfPorts = field
    .at('ports')
    .list()
    .flatMap((entry) => {
      entry.only(['port', 'mode'])
      for (const name of ['port', 'mode']) if (!entry.at(name).present) entry.at(name).problem('is required')
      const [port, mode] = [entry.at('port').port(), entry.at('mode').choice(modes)]
      return port === undefined || mode === undefined ? [] : [{ port, mode }]
    })
  return { mtls: field.at('mode').choice(modes), mtlsOfPorts }
}

/** Texts of one form. */
function readTexts(field: FieldReader, form: RegExp, what: string): readonly string[] {
  return field.list().map((entry) => {
    const text = entry.requiredString()
    if (text !== '' && !form.test(text)) entry.problem(`must be ${what}`)
    return text
  })
}

function readCidr(field: FieldReader): AccessSource['cidrs'] {
  const text = field.requiredString()
  const [address = '', length, ...rest] = text.split('/')
  const family = isIP(address)
  const bits = family === 4 ? 32 : 128
  const prefixLength = length === undefined ? bits : /^[0-9]{1,3}$/.test(length) ? Number(length) : -1
  if (text === '') return []
  if (family !== 0 && rest.length === 0 && prefixLength >= 0 && prefixLength <= bits)
    return [{ address, prefixLength }]
  field.problem('must be an address or a range such as 10.0.0.0/8')
  return []
}

function readSource(field: FieldReader, namespace: string): AccessSource {
  field.only(['principals', 'serviceAccounts', 'namespaces', 'cidrs'])
  const source: AccessSource = {
    principals: readTexts(
      field.at('principals'),
      principalForm,
      "a SPIFFE id, its beginning or its end with a '*' in place of the rest, or '*'",
    ),
    serviceAccounts: readTexts(field.at('serviceAccounts'), accountForm, 'NAME or NAMESPACE/NAME').map(
      (text) => {
        const [first = '', second] = text.split('/')
        return second === undefined ? { namespace, name: first } : { namespace: first, name: second }
      },
    ),
    namespaces: readTexts(field.at('namespaces'), nameForm, 'the name of a namespace'),
    cidrs: field.at('cidrs').list().flatMap(readCidr),
  }
  // Nobody must be everybody because a list is empty.
  if (Object.values(source).every((list) => list.length === 0)) field.problem('must say who')
  return source
}

function readPath(field: FieldReader): AccessPath {
  const text = field.requiredString()
  if (text === '*' || text === '/*') return { kind: 'below', value: '/' }
  const below = text.endsWith('/*')
  const value = below ? text.slice(0, -2) : text
  if (!value.startsWith('/') || value.includes('*'))
    field.problem("must begin with '/'; a '/*' at its end stands for everything below")
  else if (/[%?#\\;]|\/\/|\/\.\.?(?:\/|$)/.test(value))
    field.problem('must be as the application reads it: decoded, without //, /., /.., ;, ? and #')
  return { kind: below ? 'below' : 'exact', value }
}

function readOperation(field: FieldReader): AccessOperation {
  field.only(['ports', 'paths', 'methods', 'headers'])
  const operation: AccessOperation = {
    ports: field
      .at('ports')
      .list()
      .flatMap((entry) => entry.port() ?? []),
    paths: field.at('paths').list().map(readPath),
    methods: readTexts(field.at('methods'), methodForm, 'a method such as GET'),
    headers: field
      .at('headers')
      .list()
      .map((entry) => readTextMatch(entry, true)),
  }
  if (Object.values(operation).every((list) => list.length === 0)) field.problem('must say what')
  return operation
}

function readRule(field: FieldReader, i: number, namespace: string): AccessRule {
  field.only(['name', 'action', 'from', 'to'])
  const name = field.at('name').string() ?? `rule-${i}`
  if (!nameForm.test(name)) field.at('name').problem('must be a DNS label')
  if (['mtls', 'default'].includes(name)) field.at('name').problem('is what the policy itself is called')
  if (!field.at('action').present) field.at('action').problem('is required')
  return {
    name,
    action: field.at('action').choice(['allow', 'deny', 'audit']) ?? 'deny',
    from: field
      .at('from')
      .list()
      .map((entry) => readSource(entry, namespace)),
    to: field.at('to').list().map(readOperation),
  }
}

export function convertAccessPolicy(object: FieldReader, { key, namespace, name }: ObjectHead): Change {
  const spec = object.at('spec')
  spec.only(['targetRefs', 'mtls', 'default', 'rules'])
  const targets = spec.at('targetRefs').list()
  if (targets.length === 0) spec.at('targetRefs').problem('must name a target')
  const fields = spec.at('rules').list()
  const rules = fields.map((field, i) => readRule(field, i, namespace))
  for (const [i, rule] of rules.entries())
    if (rules.findIndex((other) => other.name === rule.name) < i)
      fields[i]?.at('name').problem(`'${rule.name}' is the name of another rule`)
  const value: AccessPolicy = {
    namespace,
    name,
    targets: targets.flatMap((field) => readTarget(field, namespace)),
    ...readMtls(spec.at('mtls')),
    verdict: spec.at('default').choice(['allow', 'deny']),
    rules,
  }
  if (!['mtls', 'default', 'rules'].some((field) => spec.at(field).present))
    spec.problem('must have mtls, default or rules')
  return { kind: 'accessPolicy', key, value }
}

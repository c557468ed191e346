/** SMI's IdentityBinding (access.smi-spec.io/v1alpha4, the first version that has it) -> the model. */
import type { IdentityBinding } from '../model/access-policy.ts'
import type { Change } from '../model/objects.ts'
import type { ObjectHead } from './convert.ts'
import type { FieldReader } from './field-reader.ts'

const idForm = /^(?:spiffe:\/\/)?[a-z0-9._-]{1,255}(?:\/[A-Za-z0-9._-]+)+$/
const scheme = 'spiffe://'

function readLabels(field: FieldReader): Readonly<Record<string, string>> {
  field.only(['name', 'matchLabels'])
  field.at('name').string()
  const labels = field.at('matchLabels').strings()
  // Nobody must be everybody because a map is empty.
  if (Object.keys(labels).length === 0) field.at('matchLabels').problem('must name a label')
  return labels
}

/** SMI writes them without their scheme. */
function readId(field: FieldReader): string {
  const text = field.requiredString()
  if (text !== '' && !idForm.test(text))
    field.problem('must be a SPIFFE id such as cluster.local/ns/shop/sa/web')
  return text.startsWith(scheme) ? text : `${scheme}${text}`
}

export function convertIdentityBinding(object: FieldReader, { key, namespace, name }: ObjectHead): Change {
  const schemes = object.at('spec').at('schemes')
  if (!schemes.present) schemes.problem('is required')
  schemes.only(['podLabelSelectors', 'spiffeIdentities', 'serviceAccount'])
  const value: IdentityBinding = {
    namespace,
    name,
    podLabels: schemes.at('podLabelSelectors').list().map(readLabels),
    spiffeIds: schemes.at('spiffeIdentities').list().map(readId),
    serviceAccount: schemes.at('serviceAccount').string(),
  }
  if (value.podLabels.length > 0 && value.serviceAccount !== undefined)
    schemes.problem('has either podLabelSelectors or a serviceAccount')
  return { kind: 'identityBinding', key, value }
}

import type { Change } from '../model/objects.ts'
import type { ObjectHead } from './convert.ts'
import type { FieldReader } from './field-reader.ts'
import { parseQuantityMilli } from './quantity.ts'

/** A weight in any of the forms that the four versions and their clients write: 90, "90", "500m". */
function readWeight(field: FieldReader): number {
  if (!field.present) {
    field.problem('is required')
    return 0
  }
  const { raw } = field
  const text = typeof raw === 'number' || typeof raw === 'string' ? String(raw) : ''
  const milli = parseQuantityMilli(text)
  if (milli === undefined)
    field.problem('must be a weight: a number of 0 or more, or a quantity such as 500m')
  return milli ?? 0
}

export function convertTrafficSplit(
  object: FieldReader,
  { key, namespace, name, createdMs }: ObjectHead,
): Change {
  const spec = object.at('spec')
  const backends = spec.at('backends').list()
  if (backends.length === 0) spec.at('backends').problem('must name a backend')
  // The apex may be written as clients write it: the Service's name is its first label.
  const apex = spec.at('service').requiredString().split('.')[0] as string
  if (spec.at('matches').list().length > 0)
    spec.at('matches').problem('is not supported yet; use an HTTPRoute')
  return {
    kind: 'split',
    key,
    value: {
      namespace,
      name,
      apex,
      backends: backends.map((backend) => ({
        service: backend.at('service').requiredString(),
        weightMilli: readWeight(backend.at('weight')),
      })),
      createdMs,
    },
  }
}

/** What the conversions have in common: objects of SMI, their versions, and annotations for what a version has no place for. */
import { type Fields, fieldsOf, parseJson } from '../json-fields.ts'

export type SmiObject = Fields

export type SmiVersion = 'v1alpha1' | 'v1alpha2' | 'v1alpha3' | 'v1alpha4'
/** In the order in which they came. */
export const smiVersions: readonly SmiVersion[] = ['v1alpha1', 'v1alpha2', 'v1alpha3', 'v1alpha4']

/**
 * Between each version and v1alpha4, the one that is stored and that the control plane watches. Neither direction may fail,
 * whatever it is given: one object that cannot be converted makes every list of its kind fail.
 */
export type Conversion = {
  readonly up: (object: SmiObject, from: SmiVersion) => SmiObject
  readonly down: (object: SmiObject, to: SmiVersion) => SmiObject
}

export function isBefore(version: SmiVersion, other: SmiVersion): boolean {
  return smiVersions.indexOf(version) < smiVersions.indexOf(other)
}

/** Without one of its fields. */
export function without(object: SmiObject, field: string): SmiObject {
  const { [field]: _, ...rest } = object
  return rest
}

/** With a field only where it has a value. */
export function having(object: SmiObject, field: string, value: unknown): SmiObject {
  return value === undefined ? without(object, field) : { ...object, [field]: value }
}

/** What an annotation keeps as JSON; undefined when it keeps nothing that can be read. */
export function kept(object: SmiObject, annotation: string): unknown {
  const text = fieldsOf(fieldsOf(object['metadata'])['annotations'])[annotation]
  return typeof text === 'string' ? parseJson(text) : undefined
}

/** Keeps `value` in an annotation, or, where it is undefined, takes the annotation away. */
export function keeping(object: SmiObject, annotation: string, value: unknown): SmiObject {
  const metadata = fieldsOf(object['metadata'])
  const annotations = fieldsOf(metadata['annotations'])
  if (value === undefined && annotations[annotation] === undefined) return object
  const text = value === undefined ? undefined : JSON.stringify(value)
  const wanted = having(annotations, annotation, text)
  const given = Object.keys(wanted).length === 0 ? undefined : wanted
  return { ...object, metadata: having(metadata, 'annotations', given) }
}

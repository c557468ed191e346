/** ConversionReview v1, request and response. Pure. */
import { fieldsOf, listOf, parseJson } from '../json-fields.ts'
import { convertObject } from './convert.ts'
import type { SmiObject } from './smi-object.ts'

export type ConversionRequest = {
  readonly uid: string
  readonly desiredApiVersion: string
  readonly objects: readonly SmiObject[]
}

export type ReadConversion =
  | { readonly ok: true; readonly request: ConversionRequest }
  | { readonly ok: false; readonly problem: string }

const apiVersion = 'apiextensions.k8s.io/v1'

/** What the API server wants converted, or why that cannot be told. */
export function readConversion(body: string): ReadConversion {
  const review = fieldsOf(parseJson(body))
  if (review['kind'] !== 'ConversionReview' || review['apiVersion'] !== apiVersion)
    return { ok: false, problem: `it is no ConversionReview of ${apiVersion}` }
  const { uid, desiredAPIVersion, objects } = fieldsOf(review['request'])
  if (typeof uid !== 'string' || uid === '') return { ok: false, problem: 'request.uid is missing' }
  if (typeof desiredAPIVersion !== 'string')
    return { ok: false, problem: 'request.desiredAPIVersion is missing' }
  return {
    ok: true,
    request: { uid, desiredApiVersion: desiredAPIVersion, objects: listOf(objects).map(fieldsOf) },
  }
}

/** The review to answer with: every object converted, in the order in which they came, or why one is not. */
export function convertReview({ uid, desiredApiVersion, objects }: ConversionRequest): object {
  const convertedObjects: SmiObject[] = []
  let result: object = { status: 'Success' }
  for (const object of objects) {
    const converted = convertObject(object, desiredApiVersion)
    if (converted.ok) convertedObjects.push(converted.object)
    else result = { status: 'Failure', message: converted.problem }
  }
  const succeeded = convertedObjects.length === objects.length
  const response = { uid, result, ...(succeeded ? { convertedObjects } : {}) }
  return { apiVersion, kind: 'ConversionReview', response }
}

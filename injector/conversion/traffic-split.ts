/**
 * TrafficSplit: weights are quantities in v1alpha1 and whole numbers later, `matches` is there from v1alpha3 on. Annotations
 * keep the form of the quantities, and the matches where there is no place for them.
 */
import { conversionAnnotations } from '../../api/annotations.ts'
import { fieldsOf, listOf } from '../json-fields.ts'
import { type Conversion, having, isBefore, kept, keeping, type SmiObject } from './smi-object.ts'
import { quantityOf, wholeWeights } from './weights.ts'

const { weights: weightsKept, splitMatches: matchesKept } = conversionAnnotations

function backendsOf(object: SmiObject): readonly SmiObject[] {
  return listOf(fieldsOf(object['spec'])['backends']).map(fieldsOf)
}

function weightsOf(object: SmiObject): readonly unknown[] {
  return backendsOf(object).map((backend) => backend['weight'])
}

function isSame(some: readonly unknown[], others: readonly unknown[]): boolean {
  return some.length === others.length && some.every((one, i) => one === others[i])
}

function withWeights(object: SmiObject, weights: readonly unknown[]): SmiObject {
  const backends = backendsOf(object).map((backend, i) => ({ ...backend, weight: weights[i] }))
  return { ...object, spec: { ...fieldsOf(object['spec']), backends } }
}

/** Quantities -> whole numbers. The form is only kept where it cannot be made anew. */
function toWhole(object: SmiObject): SmiObject {
  const written = weightsOf(object)
  const whole = wholeWeights(written)
  if (whole === undefined) return object
  const form = isSame(written, whole.map(quantityOf)) ? undefined : written
  return keeping(withWeights(object, whole), weightsKept, form)
}

/** Later versions have quantities only where a definition of before has stored them as they were written. */
function cleaned(object: SmiObject): SmiObject {
  return weightsOf(object).every((weight) => typeof weight === 'number') ? object : toWhole(object)
}

/** Whole numbers -> quantities: those that were written, unless somebody has changed the weights since. */
function toQuantities(object: SmiObject): SmiObject {
  const weights = weightsOf(object)
  const form = kept(object, weightsKept)
  const written = Array.isArray(form) ? (form as readonly unknown[]) : []
  const stillHolds = weights.length > 0 && isSame(wholeWeights(written) ?? [], weights)
  if (weights.length === 0) return keeping(object, weightsKept, undefined)
  return keeping(withWeights(object, stillHolds ? written : weights.map(quantityOf)), weightsKept, undefined)
}

function withMatches(object: SmiObject, matches: unknown): SmiObject {
  return { ...object, spec: having(fieldsOf(object['spec']), 'matches', matches) }
}

export const trafficSplitConversion: Conversion = {
  up(object, from) {
    const whole = from === 'v1alpha1' ? toWhole(object) : cleaned(object)
    if (!isBefore(from, 'v1alpha3')) return whole
    const matches = kept(whole, matchesKept)
    return matches === undefined ? whole : keeping(withMatches(whole, matches), matchesKept, undefined)
  },
  down(object, to) {
    const { matches } = fieldsOf(object['spec'])
    const older =
      isBefore(to, 'v1alpha3') && matches !== undefined
        ? keeping(withMatches(object, undefined), matchesKept, matches)
        : object
    return to === 'v1alpha1' ? toQuantities(older) : cleaned(older)
  },
}

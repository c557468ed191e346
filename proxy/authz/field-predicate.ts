/**
 * What a rule asks of a request's fields. What denies looks broadly, so that nothing gets by that some server takes for
 * what it means; what allows looks literally.
 */
import type { Exchange } from '../exchange.ts'
import { maskOf } from '../header-list.ts'
import { fieldReader, valuePredicate } from '../route/match.ts'
import type { NamedMatch, ValueMatch } from '../route/route-rule.ts'

type FieldPredicate = (x: Exchange) => boolean

/** By which a client of many frameworks says that its POST means something else. */
const overrideNames = ['x-http-method-override', 'x-http-method', 'x-method-override'] as const
const overrideMask = maskOf(overrideNames)

/** In whatever case, where it is looked at broadly. */
function textPredicate(match: ValueMatch, broad: boolean): (text: string) => boolean {
  if (!broad || match.kind === 'present' || match.kind === 'regex') return valuePredicate(match)
  const accepts = valuePredicate({ kind: match.kind, value: match.value.toLowerCase() })
  return (text) => accepts(text.toLowerCase())
}

let lastAuthority = ''
let lastForms: readonly string[] = ['']

/** A name's port and a dot at its end say nothing about who is meant. The last one is kept: clients ask for it again. */
function authorityForms(value: string): readonly string[] {
  if (value === lastAuthority) return lastForms
  const host = value.replace(/:[0-9]*$/, '')
  lastForms = [...new Set([value, host, host.replace(/\.$/, '')])]
  lastAuthority = value
  return lastForms
}

/** Every value that a server could take for the field's, by itself and each of a list. */
function valuesReader(name: string): (x: Exchange) => readonly string[] {
  if (name === ':path') return ({ target }) => [target]
  if (name === ':authority' || name === 'host') return ({ authority }) => authorityForms(authority)
  return ({ headers }) => {
    const values = headers.spelled(name)
    if (values.length === 0) return values
    return [
      values.join(', '),
      ...values,
      ...values.flatMap((value) => value.split(',').map((one) => one.trim())),
    ]
  }
}

function methodsOf({ method, headers }: Exchange): readonly string[] {
  if (method !== 'POST' || !headers.mayHave(overrideMask)) return [method]
  const others = overrideNames.flatMap((name) => headers.spelled(name))
  return [method, ...others.flatMap((value) => value.split(',').map((one) => one.trim()))]
}

/** One of `methods`. A method that is overridden is denied if one of the two is, and allowed if both are. */
export function methodPredicate(methods: readonly NamedMatch[], broad: boolean): FieldPredicate {
  const each = methods.map(({ match, invert }) => {
    const accepts = textPredicate(match, broad !== invert)
    return (method: string): boolean => accepts(method) !== invert
  })
  const holds = (method: string): boolean => each.some((one) => one(method))
  return (x) => {
    // The usual case makes no list.
    if (x.method !== 'POST') return holds(x.method)
    return broad ? methodsOf(x).some(holds) : methodsOf(x).every(holds)
  }
}

/** Throws SyntaxError on a regex that cannot be used; validation has refused those before. */
export function fieldPredicate(field: NamedMatch, broad: boolean): FieldPredicate {
  const { name, match, invert } = field
  if (name === ':method') return methodPredicate([field], broad)
  if (broad === invert) {
    const accepts = valuePredicate(match)
    const read = fieldReader(name)
    return (x) => accepts(read(x)) !== invert
  }
  const accepts = textPredicate(match, true)
  const read = valuesReader(name)
  return (x) => {
    const values = read(x)
    return values.some(accepts) !== invert
  }
}

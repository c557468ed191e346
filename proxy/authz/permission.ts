/** What a rule lets be done, or not: of requests, and of connections whose bytes nobody looks at. */
import { compileRegex } from '../../core/linear-regex.ts'
import type { Exchange } from '../exchange.ts'
import { broadForm } from '../route/readable-path.ts'
import type { PathMatch } from '../route/route-rule.ts'
import type { Permission, TextMatch } from './access-rules.ts'
import { fieldPredicate, methodPredicate } from './field-predicate.ts'
import type { PeerAccess } from './peer-access.ts'

/** What rules ask of a request beside itself. */
export type RequestView = {
  /** In the form by which rules are found: as it reads, or broadly. */
  path: string
  /** As it reads, and as what denies looks at it (`broadForm`). */
  read: string
  broad: string
  peer: PeerAccess
}

export type RequestPredicate = (x: Exchange, view: RequestView) => boolean

const any: Permission = { kind: 'any' }
const none: Permission = { kind: 'one', of: [] }

export function isNone(permission: Permission): boolean {
  return permission.kind === 'one' && permission.of.length === 0
}

/** What is left of a permission at one port: which one it is need not be asked again. */
export function atPort(permission: Permission, port: number): Permission {
  switch (permission.kind) {
    case 'port':
      return permission.port === port ? any : none
    case 'not': {
      const of = atPort(permission.of, port)
      if (of.kind === 'any') return none
      return isNone(of) ? any : { kind: 'not', of }
    }
    case 'all': {
      const parts = permission.of.map((part) => atPort(part, port)).filter((part) => part.kind !== 'any')
      if (parts.some(isNone)) return none
      return parts.length < 2 ? (parts[0] ?? any) : { kind: 'all', of: parts }
    }
    case 'one': {
      const parts = permission.of.map((part) => atPort(part, port)).filter((part) => !isNone(part))
      if (parts.some((part) => part.kind === 'any')) return any
      return parts.length === 1 ? (parts[0] as Permission) : { kind: 'one', of: parts }
    }
    default:
      return permission
  }
}

/** Paths are compared broadly by what denies: a slash at the end of a beginning stays, it says where an element ends. */
function formOf(value: string, broad: boolean): string {
  if (!broad) return value
  return value.length > 1 && value.endsWith('/') ? `${broadForm(value)}/` : broadForm(value)
}

function pathPredicate({ kind, value }: TextMatch, broad: boolean): RequestPredicate {
  const wanted = formOf(value, broad)
  const form = broad ? 'broad' : 'read'
  switch (kind) {
    case 'exact':
      return (_x, view) => view[form] === wanted
    case 'prefix':
      return (_x, view) => view[form].startsWith(wanted)
    case 'suffix':
      return (_x, view) => view[form].endsWith(wanted)
    case 'contains':
      return (_x, view) => view[form].includes(wanted)
    case 'regex': {
      const compiled = compileRegex(value)
      if (!compiled.ok) throw new SyntaxError(compiled.problem)
      return broad
        ? (_x, view) => compiled.matches(view.read) || compiled.matches(view.broad)
        : (_x, view) => compiled.matches(view.read)
    }
  }
}

/**
 * `broad`: of a rule that denies, which has to see everything that a server could take for what it means; inside of a
 * `not` it is the other way round. Throws SyntaxError on a regex; validation has refused those before.
 */
export function requestPredicate(permission: Permission, broad: boolean): RequestPredicate {
  switch (permission.kind) {
    case 'any':
      return () => true
    case 'all': {
      const parts = permission.of.map((part) => requestPredicate(part, broad))
      return (x, view) => parts.every((part) => part(x, view))
    }
    case 'one': {
      const methods = permission.of.flatMap((part) => (part.kind === 'header' ? [part.header] : []))
      const areMethods = methods.every(({ name }) => name === ':method')
      // Together: what overrides a method may be another of them.
      if (areMethods && methods.length === permission.of.length) return methodPredicate(methods, broad)
      const parts = permission.of.map((part) => requestPredicate(part, broad))
      return (x, view) => parts.some((part) => part(x, view))
    }
    case 'not': {
      const part = requestPredicate(permission.of, !broad)
      return (x, view) => !part(x, view)
    }
    case 'port':
      return () => false
    case 'path':
      return pathPredicate(permission.match, broad)
    case 'header':
      return fieldPredicate(permission.header, broad)
  }
}

/**
 * Whether a permission may mean a connection whose requests, if it has any, nobody sees: `unseen` is the answer for what
 * only a request has.
 */
export function meansConnection(permission: Permission, unseen: boolean): boolean {
  switch (permission.kind) {
    case 'any':
      return true
    case 'all':
      return permission.of.every((part) => meansConnection(part, unseen))
    case 'one':
      return permission.of.some((part) => meansConnection(part, unseen))
    case 'not':
      return !meansConnection(permission.of, !unseen)
    case 'port':
      return false
    case 'path':
    case 'header':
      return unseen
  }
}

export function asksForPath(permission: Permission): boolean {
  switch (permission.kind) {
    case 'path':
      return true
    case 'all':
    case 'one':
      return permission.of.some(asksForPath)
    case 'not':
      return asksForPath(permission.of)
    case 'header':
      return permission.header.name === ':path'
    default:
      return false
  }
}

/** Paths of which a request has to have one, as the index knows them; undefined: it takes more than a look-up. */
export function requiredPaths(permission: Permission, broad: boolean): readonly PathMatch[] | undefined {
  switch (permission.kind) {
    case 'path': {
      const { kind, value } = permission.match
      const wanted = formOf(value, broad)
      if (kind === 'exact') return [{ kind: 'exact', value: wanted }]
      // Whole elements are found in a tree; that it is no more than this, the rule itself looks at.
      return kind === 'prefix' && wanted.endsWith('/')
        ? [{ kind: 'pathPrefix', value: wanted.slice(0, -1) }]
        : undefined
    }
    case 'one': {
      const each = permission.of.map((part) => requiredPaths(part, broad))
      return each.includes(undefined) ? undefined : each.flatMap((paths) => paths ?? [])
    }
    case 'all':
      return permission.of.map((part) => requiredPaths(part, broad)).find((paths) => paths !== undefined)
    default:
      return undefined
  }
}

/** Who may do what at one port, as data: decoded from RBAC filters, compiled by `access-table.ts`. */
import type { NamedMatch, ValueMatch } from '../route/route-rule.ts'

export type TextMatch = Exclude<ValueMatch, { readonly kind: 'present' }>

/** What is done. */
export type Permission =
  | { readonly kind: 'any' }
  | { readonly kind: 'all' | 'one'; readonly of: readonly Permission[] }
  | { readonly kind: 'not'; readonly of: Permission }
  | { readonly kind: 'port'; readonly port: number }
  | { readonly kind: 'path'; readonly match: TextMatch }
  | { readonly kind: 'header'; readonly header: NamedMatch }

/** By whom. */
export type Principal =
  | { readonly kind: 'any' }
  | { readonly kind: 'all' | 'one'; readonly of: readonly Principal[] }
  | { readonly kind: 'not'; readonly of: Principal }
  /** Proven by mesh mTLS; without a match whoever it is. */
  | { readonly kind: 'principal'; readonly match: TextMatch | undefined }
  | { readonly kind: 'address'; readonly address: string; readonly prefixLength: number }

/** `name` says where the rule is from: `<kind>/<namespace>/<name>/<rule>`. */
export type AccessRule = {
  readonly name: string
  readonly permission: Permission
  readonly principal: Principal
}

/** Rules in their order: the first that matches names the decision. */
export type AccessRules = {
  /** These win. */
  readonly deny: readonly AccessRule[]
  /** undefined: what is not denied is allowed, and no rule says so. */
  readonly allow: readonly AccessRule[] | undefined
  /** Who says that what none of `allow` matches is denied. */
  readonly otherwise: string
  /** What these match is counted and logged, and decided by the others. */
  readonly audit: readonly AccessRule[]
}

/** Nothing in clear. */
export const meshTlsOnly: AccessRules = {
  deny: [
    {
      name: 'mtls',
      permission: { kind: 'any' },
      principal: { kind: 'not', of: { kind: 'principal', match: undefined } },
    },
  ],
  allow: undefined,
  otherwise: '',
  audit: [],
}

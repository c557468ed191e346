/** What rules of access say of one request, for who asks why. Requests themselves are decided by sidecars. Pure. */
import { BlockList, isIP } from 'node:net'
import { formatSpiffeId } from '../../api/spiffe.ts'
import { compileRegex } from '../../core/linear-regex.ts'
import type { PortAccess } from './access.ts'
import type { AccessOperation, AccessPath, AccessRule, AccessSource } from './access-policy.ts'
import type { TextMatch } from './objects.ts'

export type AccessQuestion = {
  /** undefined: it comes in clear. */
  readonly principal: string | undefined
  readonly address: string | undefined
  /** As the application has it. */
  readonly port: number
  readonly method: string
  /** Without its query. */
  readonly path: string
  /** Lower-case names. */
  readonly headers: readonly { readonly name: string; readonly value: string }[]
}

export type AccessDecision = { readonly allowed: boolean; readonly rule: string }

function matchesPattern(principal: string | undefined, pattern: string): boolean {
  if (principal === undefined) return false
  if (pattern === '*') return true
  if (pattern.endsWith('*')) return principal.startsWith(pattern.slice(0, -1))
  return pattern.startsWith('*') ? principal.endsWith(pattern.slice(1)) : principal === pattern
}

/** A range of one family means no address of the other. */
function isIn(address: string | undefined, cidrs: AccessSource['cidrs']): boolean {
  if (address === undefined || isIP(address) === 0) return false
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
  const list = new BlockList()
  for (const { address: from, prefixLength } of cidrs)
    if (isIP(from) === isIP(address)) list.addSubnet(from, prefixLength, family)
  return list.check(address, family)
}

function isFrom(source: AccessSource, { principal, address }: AccessQuestion, trustDomain: string): boolean {
  const { principals, serviceAccounts, namespaces, cidrs } = source
  const patterns = [
    ...principals,
    ...serviceAccounts.map(({ namespace, name }) =>
      formatSpiffeId({ trustDomain, namespace, serviceAccount: name }),
    ),
    ...namespaces.map((namespace) => `${formatSpiffeId({ trustDomain, namespace, serviceAccount: '' })}*`),
  ]
  const who = patterns.length === 0 || patterns.some((pattern) => matchesPattern(principal, pattern))
  return who && (cidrs.length === 0 || isIn(address, cidrs))
}

function matchesText(value: string | undefined, text: string, regex: boolean): boolean {
  if (value === undefined || !regex) return value === text
  const compiled = compileRegex(text)
  return compiled.ok && compiled.matches(value)
}

/** As sidecars read it before rules look at it: what is encoded without need is decoded, dots and doubled slashes are resolved. */
function pathAsRead(path: string): string {
  if (!path.startsWith('/')) return path
  const decoded = path.replaceAll(/%([0-9a-f]{2})/gi, (whole, digits: string) => {
    const character = String.fromCharCode(Number.parseInt(digits, 16))
    return /[\w.~-]/.test(character) ? character : whole
  })
  const segments: string[] = []
  for (const segment of decoded.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(segment)
  }
  const isFolder = segments.length > 0 && /\/\.{0,2}$/.test(decoded)
  return `/${segments.join('/')}${isFolder ? '/' : ''}`
}

/** Sidecars deny more forms of a path than these (docs/access-policy.md); who asks writes none of the others. */
function broadPath(path: string): string {
  return path.toLowerCase().replace(/(?<=.)\/$/, '')
}

function isOn(path: string, { kind, value }: AccessPath): boolean {
  if (kind === 'below') return value === '/' || path === value || path.startsWith(`${value}/`)
  return matchesText(path, value, kind === 'regex')
}

function hasField({ headers }: AccessQuestion, { name, value, regex }: TextMatch): boolean {
  const all = headers.filter((header) => header.name === name).map((header) => header.value)
  return matchesText(all.length === 0 ? undefined : all.join(', '), value, regex)
}

function isTo({ ports, paths, methods, headers }: AccessOperation, question: AccessQuestion): boolean {
  const { port, path, method } = question
  return (
    (ports.length === 0 || ports.includes(port)) &&
    (paths.length === 0 || paths.some((one) => isOn(path, one))) &&
    (methods.length === 0 || methods.includes(method)) &&
    headers.every((header) => hasField(question, header))
  )
}

function broadly(operation: AccessOperation): AccessOperation {
  const paths = operation.paths.map(({ kind, value }) => ({
    kind,
    value: kind === 'regex' ? value : broadPath(value),
  }))
  return { ...operation, paths }
}

/** The rule that decides; undefined: nobody says anything, and it is allowed. */
export function decideAccess(
  { strict, verdict, rules }: PortAccess,
  asked: AccessQuestion,
  trustDomain: string,
): AccessDecision | undefined {
  const question = { ...asked, path: pathAsRead(asked.path) }
  if (strict !== undefined && question.principal === undefined) return { allowed: false, rule: strict }
  const broad = { ...question, path: broadPath(question.path) }
  const fitting = ({ action, from, to }: AccessRule, wanted: AccessRule['action']): boolean =>
    action === wanted &&
    (from.length === 0 || from.some((source) => isFrom(source, question, trustDomain))) &&
    (to.length === 0 ||
      to.some(
        (operation) => isTo(operation, question) || (action === 'deny' && isTo(broadly(operation), broad)),
      ))
  const denying = rules.find((rule) => fitting(rule, 'deny'))
  if (denying !== undefined) return { allowed: false, rule: denying.name }
  const allowing = rules.find((rule) => fitting(rule, 'allow'))
  if (allowing !== undefined) return { allowed: true, rule: allowing.name }
  return verdict && { allowed: verdict.allows, rule: verdict.name }
}

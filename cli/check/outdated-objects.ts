/** Whether an object of weft in a cluster has all that this version needs of it: CRDs their fields, roles their rights. Pure. */
import { type Check, failing, warning } from './check.ts'
import type { Lookup } from './cluster-facts.ts'

type Schema = {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
}
type CrdVersion = {
  readonly name: string
  readonly served?: boolean
  readonly schema?: { readonly openAPIV3Schema?: Schema }
}
type Crd = { readonly spec?: { readonly versions?: readonly CrdVersion[] } }
type Rule = {
  readonly apiGroups?: readonly string[]
  readonly resources?: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly verbs?: readonly string[]
}
type Role = { readonly rules?: readonly Rule[] }

const hint = 'weft upgrade | kubectl apply -f -'
/** Of what is missing; more says no more. */
const mostNamed = 3

/** `spec`, `spec.rules[].to` and so on. */
function fieldsOf(schema: Schema | undefined, at = ''): readonly string[] {
  const own = Object.entries(schema?.properties ?? {}).flatMap(([name, child]) => {
    const path = at === '' ? name : `${at}.${name}`
    return [path, ...fieldsOf(child, path)]
  })
  return schema?.items === undefined ? own : [...own, ...fieldsOf(schema.items, `${at}[]`)]
}

/** The outermost of those that are missing. */
function missingFields(expected: CrdVersion, installed: CrdVersion): readonly string[] {
  const known = new Set(fieldsOf(installed.schema?.openAPIV3Schema))
  const missing = fieldsOf(expected.schema?.openAPIV3Schema).filter((field) => !known.has(field))
  return missing.filter(
    (field) => !missing.some((outer) => field.startsWith(`${outer}.`) || field.startsWith(`${outer}[]`)),
  )
}

/** Of SMI's kinds somebody else's definition does: the newest version that it serves is read. */
function crdCheck(name: string, expected: Crd, installed: Crd): readonly Check[] {
  const served = (installed.spec?.versions ?? []).filter((version) => version.served !== false)
  const pairs = (expected.spec?.versions ?? []).flatMap((version) => {
    const found = served.find((one) => one.name === version.name)
    return found === undefined ? [] : [[version, found] as const]
  })
  const what = `CustomResourceDefinition ${name}`
  if (pairs.length === 0) {
    const known = expected.spec?.versions?.map((version) => version.name).join(', ')
    const message = `${what} serves no version that this weft reads (${known})`
    return [failing('installation', 'CRD_OUTDATED', message, hint)]
  }
  const fields = name.endsWith('.weft.dev')
    ? new Set(pairs.flatMap(([own, found]) => missingFields(own, found)))
    : []
  const missing = [...fields]
  if (missing.length === 0) return []
  const message = `${what} is another version's: what is said in ${named(missing)} is dropped unread`
  return [warning('installation', 'CRD_OUTDATED', message, hint)]
}

/** One right each; a rule for single names has them as part of the resource. */
function rightsOf({
  apiGroups = [],
  resources = [],
  resourceNames = [''],
  verbs = [],
}: Rule): readonly string[] {
  return apiGroups.flatMap((group) =>
    resources.flatMap((resource) =>
      resourceNames.flatMap((name) =>
        verbs.map(
          (verb) => `${verb} ${resource}${group === '' ? '' : `.${group}`}${name === '' ? '' : ` ${name}`}`,
        ),
      ),
    ),
  )
}

function roleCheck(kind: string, name: string, expected: Role, installed: Role): readonly Check[] {
  const given = new Set((installed.rules ?? []).flatMap(rightsOf))
  const missing = (expected.rules ?? []).flatMap(rightsOf).filter((right) => !given.has(right))
  if (missing.length === 0) return []
  const id = kind === 'Role' ? 'ROLE_OUTDATED' : 'CLUSTER_ROLE_OUTDATED'
  const message = `${kind} ${name} is not this version's: it does not allow to ${named(missing)}`
  return [failing('installation', id, message, hint)]
}

function named(all: readonly string[]): string {
  const more = all.length - mostNamed
  return `${all.slice(0, mostNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/** Of an object that is there; nothing when it has all that it should. */
export function outdatedChecks({ manifest, reply }: Lookup): readonly Check[] {
  if (reply.status !== 200) return []
  const { kind, metadata } = manifest
  switch (kind) {
    case 'CustomResourceDefinition':
      return crdCheck(metadata.name, manifest as Crd, reply.body as Crd)
    case 'ClusterRole':
    case 'Role':
      return roleCheck(kind, metadata.name, manifest as Role, reply.body as Role)
    default:
      return []
  }
}

/** What a ServiceAccount asked of the API server, as its audit log has it, beside what its roles grant. Pure. */
import type { Manifest } from '../../deploy/manifests/install-options.ts'

/** One thing that an account may do, or did. */
type Right = {
  readonly verb: string
  readonly group: string
  /** With its subresource, `pods/status`. */
  readonly resource: string
  /** Where a rule names objects; of a request, the object. */
  readonly name: string
}

type Rule = {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
}

type AuditEvent = {
  readonly verb: string
  readonly user: { readonly username: string }
  readonly objectRef?: {
    readonly apiGroup?: string
    readonly resource?: string
    readonly subresource?: string
    readonly name?: string
  }
  readonly annotations?: Readonly<Record<string, string>>
}

function described({ verb, group, resource, name }: Right): string {
  const kind = group === '' ? resource : `${resource}.${group}`
  return `${verb} ${kind}${name === '' ? '' : ` ${name}`}`
}

/** What the roles of this name among the manifests grant: one entry for each verb, resource and name. */
function grantedRights(manifests: readonly Manifest[], account: string): readonly Right[] {
  const roles = manifests.filter(
    ({ kind, metadata }) => /^(Cluster)?Role$/.test(kind) && metadata.name === account,
  ) as unknown as readonly { readonly rules: readonly Rule[] }[]
  return roles
    .flatMap(({ rules }) => rules)
    .flatMap(({ apiGroups, resources, resourceNames = [''], verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          verbs.flatMap((verb) => resourceNames.map((name) => ({ verb, group, resource, name }))),
        ),
      ),
    )
}

function covers(granted: Right, asked: Right): boolean {
  return (
    granted.verb === asked.verb &&
    granted.group === asked.group &&
    granted.resource === asked.resource &&
    (granted.name === '' || granted.name === asked.name)
  )
}

function eventsOf(audit: string, account: string): readonly AuditEvent[] {
  return (
    audit
      .split('\n')
      // The last line is half written where the API server was killed.
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as AuditEvent)
      .filter(({ user }) => user.username === `system:serviceaccount:weft:${account}`)
  )
}

/** Of pages that are no objects (`/readyz`, the API's own lists) everybody may read some: they are not counted. */
function askedRight({ verb, objectRef }: AuditEvent): readonly Right[] {
  if (objectRef?.resource === undefined) return []
  const { apiGroup: group = '', resource, subresource, name = '' } = objectRef
  return [
    { verb, group, resource: subresource === undefined ? resource : `${resource}/${subresource}`, name },
  ]
}

/**
 * `lacking`: what it asked for and may not; an API server that has just started refuses for a moment what it allows.
 * `unused`: what it may and never did. `foreign`: what it did by other roles.
 */
export function compareRights(
  audit: string,
  manifests: readonly Manifest[],
  account: string,
): {
  readonly lacking: readonly string[]
  readonly unused: readonly string[]
  readonly foreign: readonly string[]
} {
  const events = eventsOf(audit, account)
  const isRefused = ({ annotations }: AuditEvent): boolean =>
    annotations?.['authorization.k8s.io/decision'] === 'forbid'
  const asked = events.filter((event) => !isRefused(event)).flatMap(askedRight)
  const granted = grantedRights(manifests, account)
  const withoutRight = (rights: readonly Right[]): readonly Right[] =>
    rights.filter((one) => !granted.some((right) => covers(right, one)))
  const texts = (rights: readonly Right[]): readonly string[] => [...new Set(rights.map(described))]
  return {
    lacking: texts(withoutRight(events.filter(isRefused).flatMap(askedRight))),
    unused: texts(granted.filter((right) => !asked.some((one) => covers(right, one)))),
    foreign: texts(withoutRight(asked)),
  }
}

/** `weft policy POD`: who may call one workload, port by port, in the order in which it is decided. */
import { WeftError } from '../core/errors.ts'
import type { AccessOfPort, AccessOfWorkload } from '../control-plane/diagnosis/access-pages.ts'
import type {
  AccessOperation,
  AccessPath,
  AccessRule,
  AccessSource,
} from '../control-plane/model/access-policy.ts'
import { findPod } from './reach/find-pod.ts'
import type { MeshAccess } from './reach/mesh-access.ts'
import type { Table } from './text-table.ts'

/** Of `POD`, `NAMESPACE/POD` or `KIND/NAME`. Rejects with RESOURCE_UNKNOWN, CONFIG_INVALID or CONTROL_PLANE_UNREACHABLE. */
export async function readCallers(
  access: MeshAccess,
  pod: string,
  namespace: string | undefined,
): Promise<AccessOfWorkload> {
  const key = await findPod(access, pod, namespace)
  const { status, text } = await access.controlPlane(`/access?workload=${encodeURIComponent(key)}`)
  if (status === 200) return JSON.parse(text) as AccessOfWorkload
  if (status === 404) throw new WeftError('RESOURCE_UNKNOWN', `there is no pod ${key}`)
  throw new WeftError('CONTROL_PLANE_UNREACHABLE', `/access of the control plane answered ${status}`)
}

function sourceText({ principals, serviceAccounts, namespaces, cidrs }: AccessSource): string {
  const who = [
    ...principals.map((principal) => (principal === '*' ? 'whoever has an identity' : principal)),
    ...serviceAccounts.map(({ namespace, name }) => `${namespace}/${name}`),
    ...namespaces.map((namespace) => `${namespace}/*`),
  ].join(', ')
  const where = cidrs.map(({ address, prefixLength }) => `${address}/${prefixLength}`).join(', ')
  return where === '' ? who : `${who}${who === '' ? '' : ' '}from ${where}`
}

function pathText({ kind, value }: AccessPath): string {
  if (kind === 'below') return value === '/' ? '/*' : `${value}/*`
  return kind === 'regex' ? `~${value}` : value
}

function operationText({ paths, methods, headers }: AccessOperation): string {
  const fields = headers.map(({ name, value, regex }) => `${name}${regex ? '~' : ': '}${value}`)
  const parts = [methods.join(' '), paths.map(pathText).join(' '), fields.join(' ')]
  return parts.filter((part) => part !== '').join(' ') || 'everything'
}

/** As far as it is about the port; undefined: not at all. */
function ruleRow(port: number | null, { action, from, to, name }: AccessRule): readonly string[] | undefined {
  const here = to.filter(({ ports }) => ports.length === 0 || (port !== null && ports.includes(port)))
  if (to.length > 0 && here.length === 0) return undefined
  const who = from.length === 0 ? 'everybody' : from.map(sourceText).join('; ')
  return [action, who, here.length === 0 ? 'everything' : here.map(operationText).join('; '), name]
}

const order = ['audit', 'deny', 'allow'] as const

function portRows({ port, strict, verdict, rules }: AccessOfPort): readonly (readonly string[])[] {
  const sorted = order.flatMap((action) => rules.filter((rule) => rule.action === action))
  const rows = sorted.flatMap((rule) => {
    const row = ruleRow(port, rule)
    return row === undefined ? [] : [row]
  })
  const mtls = strict === undefined ? [] : [['deny', 'clients in clear', 'everything', strict]]
  const rest = [verdict?.allows === false ? 'deny' : 'allow', 'everybody', 'all else', verdict?.name ?? '-']
  return [...mtls, ...rows, rest].map((row) => [port === null ? 'others' : String(port), ...row])
}

/** Pure. */
export function callersTable({ ports }: AccessOfWorkload): Table {
  return {
    columns: ['PORT', 'ACTION', 'WHO', 'WHAT', 'RULE'],
    rows: ports.flatMap(portRows),
    spare: ['RULE'],
  }
}

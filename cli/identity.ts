/** `weft identity`: who is who in the mesh, until when, and what all of it is trusted by. */
import { X509Certificate } from 'node:crypto'
import type { MeshedWorkload, MeshTrust } from '../api/diagnosis.ts'
import { formatDuration } from '../core/duration.ts'
import { certificatesOf } from './check/root-checks.ts'
import { type Table, tableText } from './text-table.ts'
import type { Screen } from './output.ts'
import { type MeshAccess, readPage, readSidecarPage } from './reach/mesh-access.ts'
import { readWorkloads } from './reach/workloads.ts'
import type { SidecarConfig } from './sidecar-config.ts'

export type Root = {
  readonly subject: string
  readonly issuer: string
  readonly notBefore: string
  readonly notAfter: string
  readonly sha256: string
}
export type WorkloadIdentity = {
  readonly workload: string
  /** As its token proved it; null: not connected. */
  readonly identity: string | null
  readonly expected: string
  /** Of the certificate in use; null: it does not answer from here, or has none. */
  readonly notAfter: string | null
}
export type IdentityReport = {
  readonly trustDomain: string
  readonly lifetimeMs: number
  readonly roots: readonly Root[]
  readonly workloads: readonly WorkloadIdentity[]
}

const atOnce = 16
const dayMs = 86_400_000

function rootOf(pem: string): Root {
  const { subject, issuer, validFromDate, validToDate, fingerprint256 } = new X509Certificate(pem)
  return {
    subject,
    issuer,
    notBefore: validFromDate.toISOString(),
    notAfter: validToDate.toISOString(),
    sha256: fingerprint256,
  }
}

async function workloadIdentity(
  access: MeshAccess,
  { namespace, pod, identity, sidecar }: MeshedWorkload,
): Promise<WorkloadIdentity> {
  const config =
    sidecar === null ? undefined : await readSidecarPage<SidecarConfig>(access, sidecar, '/config')
  return {
    workload: `${namespace}/${pod}`,
    identity: sidecar?.identity ?? null,
    expected: identity,
    notAfter: config?.identity?.notAfter ?? null,
  }
}

/** `namespace` undefined: of all. Rejects with CONTROL_PLANE_UNREACHABLE. */
export async function readIdentities(
  access: MeshAccess,
  namespace: string | undefined,
): Promise<IdentityReport> {
  const { trustDomain, leafLifetimeMs: lifetimeMs, roots } = await readPage<MeshTrust>(access, '/identity')
  const sidecars = await readWorkloads(access)
  const wanted = sidecars.filter((sidecar) => namespace === undefined || sidecar.namespace === namespace)
  const workloads: WorkloadIdentity[] = []
  for (let i = 0; i < wanted.length; i += atOnce)
    workloads.push(
      ...(await Promise.all(wanted.slice(i, i + atOnce).map((one) => workloadIdentity(access, one)))),
    )
  return { trustDomain, lifetimeMs, roots: certificatesOf(roots).map(rootOf), workloads }
}

function left(notAfter: string | null, nowMs: number): string {
  if (notAfter === null) return '-'
  const ms = Date.parse(notAfter) - nowMs
  if (ms <= 0) return 'expired'
  return ms < 2 * dayMs ? formatDuration(Math.floor(ms / 60_000) * 60_000) : `${Math.floor(ms / dayMs)}d`
}

function state({ identity, expected }: WorkloadIdentity): string {
  if (identity === null) return 'not connected'
  return identity === expected ? 'proven' : `should be ${expected}`
}

function workloadsTable({ workloads }: IdentityReport, nowMs: number, wide: boolean): Table {
  const rows = workloads.map((one) => [
    one.workload,
    one.identity ?? '-',
    left(one.notAfter, nowMs),
    state(one),
    ...(wide ? [one.notAfter ?? '-'] : []),
  ])
  const columns = ['WORKLOAD', 'IDENTITY', 'ENDS IN', 'STATE']
  return { columns: wide ? [...columns, 'VALID UNTIL'] : columns, rows }
}

function rootsTable({ roots }: IdentityReport, nowMs: number, wide: boolean): Table {
  const rows = roots.map(({ subject, issuer, notBefore, notAfter, sha256 }) => [
    subject.replaceAll('\n', ', '),
    issuer === subject ? 'itself' : issuer.replaceAll('\n', ', '),
    left(notAfter, nowMs),
    notAfter,
    ...(wide ? [notBefore, sha256] : []),
  ])
  const columns = ['ROOT', 'ISSUER', 'ENDS IN', 'VALID UNTIL']
  return { columns: wide ? [...columns, 'VALID FROM', 'SHA-256'] : columns, rows }
}

/** Pure. */
export function identitiesText(report: IdentityReport, nowMs: number, screen: Screen, wide: boolean): string {
  const tables = [workloadsTable(report, nowMs, wide), rootsTable(report, nowMs, wide)]
  const shown = tables.filter(({ rows }) => rows.length > 0).map((table) => tableText(table, screen, wide))
  return `trust domain ${report.trustDomain}, certificates for ${formatDuration(report.lifetimeMs)}\n\n${shown.join('\n')}`
}

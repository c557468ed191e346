/** `weft identity`: who is who in the mesh, until when, and what all of it is trusted by. */
import { X509Certificate } from 'node:crypto'
import type { MeshedWorkload, MeshTrust } from '../api/diagnosis.ts'
import { lagOf, type RotationState } from '../api/rotation.ts'
import { formatDuration } from '../core/duration.ts'
import { certificatesOf } from './check/root-checks.ts'
import { type Table, tableText } from './text-table.ts'
import type { Screen } from './output.ts'
import { type MeshAccess, readPage } from './reach/mesh-access.ts'
import { readWorkloads } from './reach/workloads.ts'

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
  /** Of the certificate in use, as its sidecar says; null: it has none, or is not connected. */
  readonly notAfter: string | null
  /** The version of the trust bundle that it has acknowledged; null: none yet. */
  readonly bundle: string | null
  /** What it has yet to do before the next phase of a rotation; null: nothing. */
  readonly lag: string | null
}
export type IdentityReport = {
  readonly trustDomain: string
  readonly lifetimeMs: number
  readonly rotation: RotationState
  readonly roots: readonly Root[]
  readonly workloads: readonly WorkloadIdentity[]
}

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

function workloadIdentity(
  { namespace, pod, identity, sidecar }: MeshedWorkload,
  rotation: RotationState,
): WorkloadIdentity {
  const notAfterMs = sidecar?.certificateNotAfterMs ?? null
  return {
    workload: `${namespace}/${pod}`,
    identity: sidecar?.identity ?? null,
    expected: identity,
    notAfter: notAfterMs === null ? null : new Date(notAfterMs).toISOString(),
    bundle: sidecar?.bundle ?? null,
    lag: sidecar === null ? null : (lagOf(rotation, sidecar) ?? null),
  }
}

/** `namespace` undefined: of all. Rejects with CONTROL_PLANE_UNREACHABLE. */
export async function readIdentities(
  access: MeshAccess,
  namespace: string | undefined,
): Promise<IdentityReport> {
  const trust = await readPage<MeshTrust>(access, '/identity')
  const { trustDomain, leafLifetimeMs: lifetimeMs, roots, rotation } = trust
  const workloads = (await readWorkloads(access))
    .filter((sidecar) => namespace === undefined || sidecar.namespace === namespace)
    .map((one) => workloadIdentity(one, rotation))
  return { trustDomain, lifetimeMs, rotation, roots: certificatesOf(roots).map(rootOf), workloads }
}

function left(notAfter: string | null, nowMs: number): string {
  if (notAfter === null) return '-'
  const ms = Date.parse(notAfter) - nowMs
  if (ms <= 0) return 'expired'
  return ms < 2 * dayMs ? formatDuration(Math.floor(ms / 60_000) * 60_000) : `${Math.floor(ms / dayMs)}d`
}

function state({ identity, expected, lag }: WorkloadIdentity): string {
  if (identity === null) return 'not connected'
  if (identity !== expected) return `should be ${expected}`
  return lag ?? 'proven'
}

function workloadsTable({ workloads }: IdentityReport, nowMs: number, wide: boolean): Table {
  const rows = workloads.map((one) => [
    one.workload,
    one.identity ?? '-',
    left(one.notAfter, nowMs),
    state(one),
    ...(wide ? [one.notAfter ?? '-', one.bundle ?? '-'] : []),
  ])
  const columns = ['WORKLOAD', 'IDENTITY', 'ENDS IN', 'STATE']
  return { columns: wide ? [...columns, 'VALID UNTIL', 'BUNDLE'] : columns, rows }
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
  const { phase, bundle } = report.rotation
  const trusted = `trust bundle ${bundle}${phase === 'steady' ? '' : `, rotating: ${phase}`}`
  return `trust domain ${report.trustDomain}, certificates for ${formatDuration(report.lifetimeMs)}, ${trusted}\n\n${shown.join('\n')}`
}

/** How a command reaches the control plane and the sidecars. */
import type { SidecarFacts } from '../../api/diagnosis.ts'
import { WeftError } from '../../core/errors.ts'

export type Page = { readonly status: number; readonly text: string }

export interface MeshAccess {
  /** A page of the control plane's admin server. Rejects with CONTROL_PLANE_UNREACHABLE. */
  controlPlane(path: string): Promise<Page>
  /** The same page of every replica: each knows the sidecars that are connected to it. */
  controlPlanes(path: string): Promise<readonly Page[]>
  /** Posts to a page of one control plane. Rejects with CONTROL_PLANE_UNREACHABLE. */
  changeControlPlane(path: string): Promise<Page>
  /** A page of a sidecar's; undefined: it cannot be reached from here. */
  sidecar(sidecar: SidecarFacts, method: 'GET' | 'POST', path: string): Promise<Page | undefined>
  close(): void
}

/** The content of a control plane's page. Rejects with CONTROL_PLANE_UNREACHABLE. */
export async function readPage<T>(access: MeshAccess, path: string): Promise<T> {
  return contentOf<T>(path, await access.controlPlane(path))
}

/** The content of a page of every replica. Rejects with CONTROL_PLANE_UNREACHABLE. */
export async function readPageOfAll<T>(access: MeshAccess, path: string): Promise<readonly T[]> {
  return (await access.controlPlanes(path)).map((page) => contentOf<T>(path, page))
}

function contentOf<T>(path: string, { status, text }: Page): T {
  if (status !== 200) throw refusedPage(path, status, text)
  return JSON.parse(text) as T
}

/** The content of a sidecar's page; undefined when it does not answer as it should. */
export async function readSidecarPage<T>(
  access: MeshAccess,
  sidecar: SidecarFacts,
  path: string,
  method: 'GET' | 'POST' = 'GET',
): Promise<T | undefined> {
  const page = await access.sidecar(sidecar, method, path)
  if (page?.status !== 200) return undefined
  try {
    return JSON.parse(page.text) as T
  } catch {
    return undefined // Somebody else listens there.
  }
}

function refusedPage(path: string, status: number, text: string): WeftError {
  const hint = status === 404 ? 'it is of another version' : text.trim().slice(0, 200)
  return new WeftError(
    'CONTROL_PLANE_UNREACHABLE',
    `${path} of the control plane answered ${status}: ${hint}`,
  )
}

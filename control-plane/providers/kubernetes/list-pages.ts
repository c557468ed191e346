/** Lists all objects of a kind, page by page. */
import type { ApiReply, KubernetesClient } from '../../../core/kubernetes/api-client.ts'
import { apiVersionOf, pathOf, type WatchedKind } from './watched-kind.ts'

/** As kubectl and the informers do. */
const pageSize = 500

export type Listed =
  | { readonly outcome: 'complete'; readonly resourceVersion: string }
  /** The pages that are left were compacted away meanwhile. */
  | { readonly outcome: 'expired' }
  | { readonly outcome: 'failed'; readonly reply: ApiReply }

type Page = { readonly items: readonly object[]; readonly next: string; readonly resourceVersion: string }

function readPage(body: unknown): Page | undefined {
  const { items, metadata } = (body ?? {}) as { readonly items?: unknown; readonly metadata?: unknown }
  const { continue: next, resourceVersion } = (metadata ?? {}) as Readonly<Record<string, unknown>>
  // Go writes a list without entries as null in places.
  const list = items === undefined || items === null ? [] : items
  if (!Array.isArray(list) || typeof resourceVersion !== 'string') return undefined
  return {
    items: list as object[],
    next: typeof next === 'string' ? next : '',
    resourceVersion,
  }
}

export function selectorsOf({ labelSelector, fieldSelector }: WatchedKind): URLSearchParams {
  const query = new URLSearchParams()
  if (labelSelector !== undefined) query.set('labelSelector', labelSelector)
  if (fieldSelector !== undefined) query.set('fieldSelector', fieldSelector)
  return query
}

/**
 * Hands every object of `kind` to `onObject`, with the kind and version that items of lists do not carry. `paged` false
 * asks for all of them at once. Rejects with KUBERNETES_UNREACHABLE.
 */
export async function listPages(
  client: KubernetesClient,
  kind: WatchedKind,
  version: string,
  options: { readonly paged: boolean; readonly onPage: (objects: readonly object[]) => void },
): Promise<Listed> {
  const head = { apiVersion: apiVersionOf(kind, version), kind: kind.kind }
  const query = selectorsOf(kind)
  if (options.paged) query.set('limit', String(pageSize))
  for (;;) {
    const reply = await client.request('GET', `${pathOf(kind, version)}?${query.toString()}`)
    if (reply.status === 410) return { outcome: 'expired' }
    const page = reply.status === 200 ? readPage(reply.body) : undefined
    if (page === undefined) return { outcome: 'failed', reply }
    options.onPage(page.items.map((item) => ({ ...item, ...head })))
    if (page.next === '') return { outcome: 'complete', resourceVersion: page.resourceVersion }
    query.set('continue', page.next)
  }
}

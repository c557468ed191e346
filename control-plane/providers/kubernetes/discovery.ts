/** Which version of a kind a cluster offers now, if any. */
import { failureOf } from '../../../core/kubernetes/api-failure.ts'
import type { ApiReply, KubernetesClient } from '../../../core/kubernetes/api-client.ts'
import type { WatchedKind } from './watched-kind.ts'

function namesIn(body: unknown, list: string, name: string): readonly string[] {
  if (typeof body !== 'object' || body === null) return []
  const entries = (body as Record<string, unknown>)[list]
  if (!Array.isArray(entries)) return []
  return (entries as readonly (Readonly<Record<string, unknown>> | null)[]).flatMap((entry) => {
    const value = entry?.[name]
    return typeof value === 'string' ? [value] : []
  })
}

async function ask(client: KubernetesClient, path: string): Promise<ApiReply> {
  const reply = await client.request('GET', path)
  if (reply.status === 200 || reply.status === 404) return reply
  throw failureOf(reply, `GET ${path}`)
}

/**
 * An API server that is starting does not know all of its kinds yet: what it lacks then is not absent. Who may not ask
 * has to take it as it is.
 */
async function untilReady(client: KubernetesClient): Promise<void> {
  const reply = await client.request('GET', '/readyz')
  if (reply.status >= 500 || reply.status === 429) throw failureOf(reply, 'the API server is not ready')
}

/**
 * The first of the kind's versions that the cluster serves; undefined when there is none. Rejects with a KUBERNETES_ code
 * when the cluster cannot tell.
 */
export async function offeredVersion(
  client: KubernetesClient,
  kind: WatchedKind,
): Promise<string | undefined> {
  if (kind.builtIn) return kind.versions[0]
  await untilReady(client)
  const group = await ask(client, `/apis/${kind.group}`)
  const served = namesIn(group.body, 'versions', 'version')
  for (const version of kind.versions.filter((candidate) => served.includes(candidate))) {
    const resources = await ask(client, `/apis/${kind.group}/${version}`)
    if (namesIn(resources.body, 'resources', 'name').includes(kind.plural)) return version
  }
  return undefined
}

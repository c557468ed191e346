/** What is written about the objects of namespace `shop` that are called `catalog`: in their status, and in Events. */
import type { ApiServer } from '../support/api-server.ts'

type Conditions = readonly {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly observedGeneration: number
}[]
type Written = {
  readonly metadata: { readonly generation: number }
  readonly status?: {
    readonly conditions?: Conditions
    readonly parents?: readonly {
      readonly controllerName: string
      readonly parentRef: object
      readonly conditions: Conditions
    }[]
  }
}

export async function writtenOf(server: ApiServer, kind: string): Promise<Written> {
  return JSON.parse(await server.kubectl(['get', kind, 'catalog', '-n', 'shop', '-o', 'json'])) as Written
}

/** `Accepted=True/Accepted`, and whether it is about an older generation. */
function shortly({ metadata }: Written, conditions: Conditions): readonly string[] {
  return conditions.map(
    ({ type, status, reason, observedGeneration }) =>
      `${type}=${status}/${reason}${observedGeneration === metadata.generation ? '' : ' of an older one'}`,
  )
}

export async function conditionsOf(server: ApiServer, kind: string): Promise<readonly string[]> {
  const written = await writtenOf(server, kind)
  return shortly(written, written.status?.conditions ?? [])
}

/** By controller, what it says of a route. */
export async function routeConditionsOf(
  server: ApiServer,
  kind: string,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const route = await writtenOf(server, kind)
  const parents = route.status?.parents ?? []
  return Object.fromEntries(
    parents.map(({ controllerName, conditions }) => [controllerName, shortly(route, conditions)]),
  )
}

/** The control plane's, as `Warning Invalid x2`. */
export async function eventsOf(server: ApiServer, kind: string): Promise<readonly string[]> {
  const about = `involvedObject.kind=${kind},involvedObject.name=catalog`
  const text = await server.kubectl(['get', 'events', '-n', 'shop', '--field-selector', about, '-o', 'json'])
  const { items } = JSON.parse(text) as {
    readonly items: readonly {
      readonly type: string
      readonly reason: string
      readonly count: number
      readonly source: { readonly component: string }
    }[]
  }
  return items
    .filter(({ source }) => source.component === 'weft-control-plane')
    .map(({ type, reason, count }) => `${type} ${reason} x${count}`)
    .toSorted()
}

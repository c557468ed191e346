/** `weft routes`: every HTTPRoute and GRPCRoute of a Service, and whether it can be followed. */
import type { RouteStatus } from '../control-plane/model/route-status.ts'
import { type MeshAccess, readPage } from './reach/mesh-access.ts'
import type { Table } from './text-table.ts'

type Parent = { readonly name?: string; readonly namespace?: string; readonly port?: number }

function parentText(reference: object, namespace: string): string {
  const { name = '', namespace: other = namespace, port } = reference as Parent
  return `${other}/${name}${port === undefined ? '' : `:${port}`}`
}

/** Rejects with CONTROL_PLANE_UNREACHABLE. */
export async function readRoutes(access: MeshAccess): Promise<readonly RouteStatus[]> {
  return (await readPage<{ readonly routes: readonly RouteStatus[] }>(access, '/routes')).routes
}

/** Pure. */
export function routesTable(routes: readonly RouteStatus[], wide: boolean): Table {
  const rows = routes.flatMap(({ kind, namespace, name, parents }) =>
    parents.map(({ parentRef, conditions }) => {
      const said = (type: string): string => {
        const condition = conditions.find((one) => one.type === type)
        if (condition === undefined) return '-'
        return condition.status === 'True' ? 'yes' : `no (${condition.reason})`
      }
      const message = conditions
        .flatMap((condition) => (condition.message === '' ? [] : [condition.message]))
        .join('; ')
      const partly = conditions.some(({ type, status }) => type === 'PartiallyInvalid' && status === 'True')
      return [
        namespace,
        kind,
        name,
        parentText(parentRef, namespace),
        partly ? 'partly' : said('Accepted'),
        said('ResolvedRefs'),
        ...(wide ? [message] : []),
      ]
    }),
  )
  const columns = ['NAMESPACE', 'KIND', 'NAME', 'SERVICE', 'ACCEPTED', 'BACKENDS RESOLVED']
  return { columns: wide ? [...columns, 'MESSAGE'] : columns, rows, spare: ['NAMESPACE', 'KIND', 'SERVICE'] }
}

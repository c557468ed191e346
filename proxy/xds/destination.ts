/** One name that the sidecar follows: what it was told of it, and what of that is in force. */
import type { Answer } from './answer-wait.ts'
import type { TcpRoute } from '../route/tcp-route.ts'
import type { DecodedListener } from './decode-listener.ts'
import type { DecodedRoutes } from './decode-routes.ts'

export type Destination = {
  state: 'asked' | 'known' | 'unknown'
  listener: DecodedListener | undefined
  applied: DecodedRoutes | undefined
  appliedTcp: TcpRoute | undefined
  usedMs: number
  warmUntilMs: number
  waiting: ((answer: Answer) => void)[]
}

/** Those that it was told last, if they are there. */
export function routesOf(
  { listener }: Destination,
  byName: ReadonlyMap<string, DecodedRoutes>,
): DecodedRoutes | undefined {
  if (listener?.kind !== 'destination') return undefined
  return 'inline' in listener.routes ? listener.routes.inline : byName.get(listener.routes.rds)
}

export function tcpOf({ listener }: Destination): TcpRoute | undefined {
  return listener?.kind === 'destination' ? listener.tcp : undefined
}

/** Everywhere that requests and connections may go. */
export function clustersOf(
  routes: DecodedRoutes | undefined,
  tcp: TcpRoute | undefined,
): ReadonlySet<string> {
  const ofTcp = tcp?.clusters.map(({ cluster }) => cluster) ?? []
  return new Set([...(routes?.clusters ?? []), ...ofTcp])
}

/** What its routes are called, where they are not in its Listener. */
export function rdsOf({ listener }: Destination): string | undefined {
  return listener?.kind === 'destination' && 'rds' in listener.routes ? listener.routes.rds : undefined
}

/** The service that `name` is a name of: its routes are called like it. */
export function apexOf(name: string, destination: Destination): string {
  return rdsOf(destination) ?? name
}

/** For the admin page. */
export function shown({ state, applied, appliedTcp }: Destination): object {
  return { state, hosts: applied?.hosts ?? [], ...(appliedTcp !== undefined && { tcp: appliedTcp }) }
}

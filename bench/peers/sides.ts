/** Builds every topology from a proxy that can be one side of it: the outbound one, the inbound one, or both. */
import { freePorts } from '../../cli/demo/ports.ts'
import { exchangePlain } from '../load/exchange-plain.ts'
import type { MeasuredProcess, Protocol, RunningPeer, Setup, TlsFiles } from '../peer.ts'
import { writeCertificates } from './certificates.ts'

export type Side = {
  readonly role: 'outbound' | 'inbound'
  readonly folder: string
  readonly port: number
  readonly upstreamPort: number
  readonly protocol: Protocol
  readonly routes: number
  readonly largeBuffers: boolean
  /** Set when it asks its clients for mutual TLS. */
  readonly serverTls: TlsFiles | undefined
  /** Set when it speaks mutual TLS to its upstream. */
  readonly clientTls: TlsFiles | undefined
}

export type Launched = {
  readonly pid: number
  readonly readyMs: number
  readonly stop: () => Promise<void>
}

type Wiring = Pick<Side, 'role' | 'port' | 'upstreamPort' | 'serverTls' | 'clientTls'>

async function wiringOf({ topology, backendPort, folder }: Setup): Promise<Wiring[]> {
  const [port, between] = (await freePorts(2)) as [number, number]
  const noTls = { serverTls: undefined, clientTls: undefined }
  if (topology === 'plain') return [{ role: 'outbound', port, upstreamPort: backendPort, ...noTls }]
  const { client, server } = await writeCertificates(folder)
  const inbound = { role: 'inbound', upstreamPort: backendPort, serverTls: server } as const
  if (topology === 'tls-server') return [{ ...inbound, port, clientTls: client }]
  return [
    { role: 'outbound', port, upstreamPort: between, serverTls: undefined, clientTls: client },
    { ...inbound, port: between, clientTls: undefined },
  ]
}

/** Every side that must speak TLS refuses a request that does not. */
async function refusesPlain(wiring: readonly Wiring[]): Promise<void> {
  for (const { port, serverTls } of wiring) {
    if (serverTls === undefined) continue
    const answer = await exchangePlain(port)
    if (answer.includes(' 200 ')) throw new Error(`port ${port} takes requests without TLS`)
  }
}

/** Starts what the setup asks for; the far side first. */
export async function startSides(
  setup: Setup,
  launch: (side: Side) => Promise<Launched>,
): Promise<RunningPeer> {
  await using starting = new AsyncDisposableStack()
  const wiring = await wiringOf(setup)
  const launched: (Launched & MeasuredProcess)[] = []
  for (const { role, port, upstreamPort, serverTls, clientTls } of wiring.toReversed()) {
    const { folder, protocol, variant } = setup
    const { routes, largeBuffers = false } = variant
    const side = { role, port, upstreamPort, serverTls, folder, protocol, routes, largeBuffers }
    // The client of a lone inbound side is the load itself.
    const started = await launch({ ...side, clientTls: role === 'outbound' ? clientTls : undefined })
    starting.defer(() => started.stop())
    launched.unshift({ role, ...started })
  }
  const [first] = wiring as [Wiring]
  const running = starting.move()
  return {
    port: first.port,
    processes: launched,
    readyMs: launched[0]?.readyMs ?? 0,
    ...(first.role === 'inbound' && first.clientTls !== undefined ? { clientTls: first.clientTls } : {}),
    verify: () => refusesPlain(wiring),
    stop: () => running.disposeAsync(),
  }
}

import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { freePorts } from '../../cli/demo/ports.ts'
import type { Peer, RunningPeer, Setup } from '../peer.ts'
import { isInstalled, startProcess, stopProcess, untilOpen } from '../process.ts'
import { type Certificates, writeCertificates } from './certificates.ts'

/** One thread, keep-alive on both sides, no log: HAProxy at its leanest. */
function configuration(bind: string, server: string): string {
  return `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend in
  bind ${bind}
  default_backend app
backend app
  server app ${server}
`
}

/** Mutual TLS 1.3; sessions are resumed by default on both sides. */
function tlsServer({ roots, server }: Certificates): string {
  return ` ssl crt ${server.certificate} ca-file ${roots} verify required ssl-min-ver TLSv1.3`
}

function tlsClient({ roots, client }: Certificates): string {
  return ` ssl crt ${client.certificate} ca-file ${roots} verify required verifyhost app sni str(app) ssl-min-ver TLSv1.3`
}

type Started = { readonly pid: number; readonly stop: () => Promise<void> }

async function start(
  folder: string,
  role: string,
  port: number,
  tls: { readonly bind: string; readonly server: string },
  to: number,
): Promise<Started> {
  const file = path.join(folder, `${role}.cfg`)
  writeFileSync(file, configuration(`127.0.0.1:${port}${tls.bind}`, `127.0.0.1:${to}${tls.server}`))
  const child = startProcess('haproxy', ['-db', '-f', file])
  await untilOpen(port)
  return { pid: child.pid as number, stop: () => stopProcess(child) }
}

async function startPlain({ folder, backendPort }: Setup): Promise<RunningPeer> {
  const [port] = (await freePorts(1)) as [number]
  const { pid, stop } = await start(folder, 'outbound', port, { bind: '', server: '' }, backendPort)
  return { port, processes: [{ role: 'outbound', pid }], stop }
}

async function startPair({ folder, backendPort }: Setup): Promise<RunningPeer> {
  const [port, between] = (await freePorts(2)) as [number, number]
  const certificates = await writeCertificates(folder)
  const inboundTls = { bind: tlsServer(certificates), server: '' }
  const inbound = await start(folder, 'inbound', between, inboundTls, backendPort)
  const outboundTls = { bind: '', server: tlsClient(certificates) }
  const outbound = await start(folder, 'outbound', port, outboundTls, between)
  return {
    port,
    processes: [
      { role: 'outbound', pid: outbound.pid },
      { role: 'inbound', pid: inbound.pid },
    ],
    stop: async () => void (await Promise.all([outbound.stop(), inbound.stop()])),
  }
}

export const haproxy: Peer = {
  name: 'haproxy',
  topologies: ['plain', 'pair'],
  available: () => isInstalled('haproxy') || 'haproxy is not installed (apt-get install haproxy)',
  start: (setup) => (setup.topology === 'plain' ? startPlain(setup) : startPair(setup)),
}

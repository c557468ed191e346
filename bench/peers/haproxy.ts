import { writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Peer } from '../peer.ts'
import { isInstalled, versionOf } from '../process.ts'
import { serverName } from './certificates.ts'
import { launchProgram } from './launch.ts'
import { type Launched, type Side, startSides } from './sides.ts'

function bind({ port, serverTls }: Side): string {
  if (serverTls === undefined) return `127.0.0.1:${port}`
  const { certificate, roots } = serverTls
  return `127.0.0.1:${port} ssl crt ${certificate} ca-file ${roots} verify required ssl-min-ver TLSv1.3`
}

function server({ upstreamPort, clientTls }: Side): string {
  if (clientTls === undefined) return `127.0.0.1:${upstreamPort}`
  const { certificate, roots } = clientTls
  return (
    `127.0.0.1:${upstreamPort} ssl crt ${certificate} ca-file ${roots} verify required ` +
    `verifyhost ${serverName} sni str(${serverName}) ssl-min-ver TLSv1.3`
  )
}

/** One thread, keep-alive on both sides, sessions resumed, no log: HAProxy at its leanest. */
function configuration(side: Side): string {
  const others = Array.from(
    { length: side.routes - 1 },
    (_, i) => `  use_backend app if { path_beg /other-${i}/ }\n`,
  )
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
  bind ${bind(side)}
${others.join('')}  default_backend app
backend app
  server app ${server(side)}
`
}

function launch(side: Side): Promise<Launched> {
  const file = path.join(side.folder, `${side.role}.cfg`)
  writeFileSync(file, configuration(side))
  return launchProgram('haproxy', ['-db', '-f', file], { port: side.port })
}

export const haproxy: Peer = {
  name: 'haproxy',
  topologies: ['plain', 'pair', 'tls-server'],
  available: () => isInstalled('haproxy') || 'haproxy is not installed (apt-get install haproxy)',
  version: () => versionOf('haproxy', ['-v'], /version ([0-9.]+)/),
  start: (setup) => startSides(setup, launch),
}

import { writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Peer } from '../peer.ts'
import { isInstalled, versionOf } from '../process.ts'
import { serverName } from './certificates.ts'
import { launchProgram } from './launch.ts'
import { type Launched, type Side, startSides } from './sides.ts'

/** Without TLS it has to be told; with it the two sides agree. */
function protoOf({ protocol }: Side): string {
  return protocol === 'http2' ? ' proto h2' : ''
}

function alpnOf({ protocol }: Side): string {
  return protocol === 'http2' ? ' alpn h2' : ''
}

function bind(side: Side): string {
  const { port, serverTls } = side
  if (serverTls === undefined) return `127.0.0.1:${port}${protoOf(side)}`
  const { certificate, roots } = serverTls
  return `127.0.0.1:${port} ssl crt ${certificate} ca-file ${roots} verify required ssl-min-ver TLSv1.3${alpnOf(side)}`
}

function server(side: Side): string {
  const { upstreamPort, clientTls } = side
  if (clientTls === undefined) return `127.0.0.1:${upstreamPort}${protoOf(side)}`
  const { certificate, roots } = clientTls
  return (
    `127.0.0.1:${upstreamPort} ssl crt ${certificate} ca-file ${roots} verify required ` +
    `verifyhost ${serverName} sni str(${serverName}) ssl-min-ver TLSv1.3${alpnOf(side)}`
  )
}

/** What it needs to be as good at large replies as it can be; the defaults cost it twice as much. */
const largeBuffers = `  tune.bufsize 65536
  tune.h2.initial-window-size 1048576
`

/** One thread, keep-alive on both sides, sessions resumed, no log: HAProxy at its leanest. */
function configuration(side: Side): string {
  const others = Array.from(
    { length: side.routes - 1 },
    (_, i) => `  use_backend app if { path_beg /other-${i}/ }\n`,
  )
  return `global
  nbthread 1
  maxconn 4096
${side.largeBuffers ? largeBuffers : ''}defaults
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
  protocols: ['http1', 'http2'],
  available: () => isInstalled('haproxy') || 'haproxy is not installed (apt-get install haproxy)',
  version: () => versionOf('haproxy', ['-v'], /version ([0-9.]+)/),
  start: (setup) => startSides(setup, launch),
}

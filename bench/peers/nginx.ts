import { writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Peer } from '../peer.ts'
import { isInstalled, versionOf } from '../process.ts'
import { serverName } from './certificates.ts'
import { launchProgram } from './launch.ts'
import { type Launched, type Side, startSides } from './sides.ts'

function serverTls({ serverTls: tls }: Side): string {
  if (tls === undefined) return ''
  return `
    ssl_certificate ${tls.certificate};
    ssl_certificate_key ${tls.key};
    ssl_client_certificate ${tls.roots};
    ssl_verify_client on;
    ssl_protocols TLSv1.3;
    ssl_session_cache shared:sessions:1m;`
}

function clientTls({ clientTls: tls }: Side): string {
  if (tls === undefined) return ''
  return `
      proxy_ssl_certificate ${tls.certificate};
      proxy_ssl_certificate_key ${tls.key};
      proxy_ssl_trusted_certificate ${tls.roots};
      proxy_ssl_verify on;
      proxy_ssl_name ${serverName};
      proxy_ssl_protocols TLSv1.3;`
}

/** One process, keep-alive on both sides, sessions resumed, no log. */
function configuration(side: Side): string {
  const { port, upstreamPort, folder, role } = side
  return `daemon off;
master_process off;
pid ${folder}/${role}.pid;
error_log /dev/null;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path ${folder}/${role}-body;
  proxy_temp_path ${folder}/${role}-proxy;
  client_body_buffer_size 128k;
  upstream app { server 127.0.0.1:${upstreamPort}; keepalive 256; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port}${side.serverTls === undefined ? '' : ' ssl'} backlog=4096;${serverTls(side)}
    location / {
      proxy_pass ${side.clientTls === undefined ? 'http' : 'https'}://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;${clientTls(side)}
    }
  }
}
`
}

function launch(side: Side): Promise<Launched> {
  const file = path.join(side.folder, `${side.role}.conf`)
  writeFileSync(file, configuration(side))
  return launchProgram('nginx', ['-c', file, '-p', side.folder], { port: side.port })
}

export const nginx: Peer = {
  name: 'nginx',
  topologies: ['plain', 'pair', 'tls-server'],
  protocols: ['http1'],
  available: () => isInstalled('nginx') || 'nginx is not installed (apt-get install nginx)',
  version: () => versionOf('nginx', ['-v'], /nginx\/([0-9.]+)/),
  start: (setup) => startSides(setup, launch),
}

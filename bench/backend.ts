/** The application that every peer stands before: nginx, one process, answers of a fixed size. */
import { truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { freePorts } from '../cli/demo/ports.ts'
import { grpcMessage } from './load/request.ts'
import type { Protocol } from './peer.ts'
import { startProcess, stopProcess, untilOpen } from './process.ts'

export type Backend = {
  readonly ports: Readonly<Record<Protocol, number>>
  readonly stop: () => Promise<void>
}

const replyBytes = 1024
const largeBytes = 65_536
const messageBytes = 64
/** The method of the one gRPC service. */
export const callPath = '/bench.Echo/Call'

/** Field of about the size that cookies, tokens and trace contexts have. */
export function exampleField(i: number): readonly [name: string, value: string] {
  return [`X-Field-${String(i).padStart(2, '0')}`, `${i}`.padEnd(40, 'abcdefghij')]
}

function fields(count: number): string {
  return Array.from({ length: count }, (_, i) => `add_header ${exampleField(i).join(' ')};`).join(' ')
}

/** Of nothing but zeros, so that it takes no disk. */
export const transferBytes = 2 ** 30

/** /upload reads the body to its end before it answers, which `return` does not: so it asks itself. */
function configuration(folder: string, { http1: port, http2 }: Backend['ports']): string {
  const body = 'x'.repeat(replyBytes)
  const transfers = `location = /transfer { alias ${folder}/transfer; }
    location = /upload {
      proxy_pass http://self/;
      proxy_http_version 1.1;
      proxy_method GET;
      proxy_set_body '';
      proxy_set_header Connection '';
      proxy_set_header Content-Length '';
    }`
  return `daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log /dev/null;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path ${folder}/body;
  client_body_buffer_size 128k;
  client_max_body_size 0;
  large_client_header_buffers 4 32k;
  open_file_cache max=8;
  sendfile on;
  upstream self { server 127.0.0.1:${port}; keepalive 256; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    listen 127.0.0.2:${port} backlog=4096;
    location / { return 200 '${body}'; }
    location = /large { alias ${folder}/large; }
    location = /fields-10 { ${fields(10)} return 200 '${body}'; }
    location = /fields-50 { ${fields(50)} return 200 '${body}'; }
    ${transfers}
  }
  server {
    listen 127.0.0.1:${http2} http2 backlog=4096;
    http2_max_concurrent_streams 1024;
    location / { return 200 '${body}'; }
    location = /large { alias ${folder}/large; }
    ${transfers}
    # A call: a file, which only a GET is given; the trailer makes it a gRPC reply.
    location = ${callPath} {
      default_type application/grpc;
      alias ${folder}/message;
      error_page 405 =200 ${callPath};
      add_trailer grpc-status 0;
    }
  }
}
`
}

export async function startBackend(folder: string): Promise<Backend> {
  const [http1, http2] = (await freePorts(2)) as [number, number]
  const ports = { http1, http2 }
  const file = path.join(folder, 'backend.conf')
  writeFileSync(path.join(folder, 'large'), 'x'.repeat(largeBytes))
  writeFileSync(path.join(folder, 'transfer'), '')
  truncateSync(path.join(folder, 'transfer'), transferBytes)
  writeFileSync(path.join(folder, 'message'), grpcMessage(messageBytes))
  writeFileSync(file, configuration(folder, ports))
  const child = startProcess('nginx', ['-c', file, '-p', folder])
  await untilOpen(http1, child)
  return { ports, stop: () => stopProcess(child) }
}

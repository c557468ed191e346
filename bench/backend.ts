/** The one application that every peer stands before: nginx, one process, answers of a fixed size from memory. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { freePorts } from '../cli/demo/ports.ts'
import { startProcess, stopProcess, untilOpen } from './process.ts'

export type Backend = { readonly port: number; readonly pid: number; readonly stop: () => Promise<void> }

function configuration(folder: string, port: number): string {
  return `daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log /dev/null;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path ${folder}/body;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { return 200 '${'x'.repeat(1024)}'; }
  }
}
`
}

export async function startBackend(folder: string): Promise<Backend> {
  const [port] = (await freePorts(1)) as [number]
  const file = path.join(folder, 'backend.conf')
  writeFileSync(file, configuration(folder, port))
  const child = startProcess('nginx', ['-c', file, '-p', folder])
  await untilOpen(port)
  return { port, pid: child.pid as number, stop: () => stopProcess(child) }
}

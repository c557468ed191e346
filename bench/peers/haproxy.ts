import { writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Peer } from '../peer.ts'
import { isInstalled, startProcess, stopProcess, untilOpen } from '../process.ts'

/** One thread, keep-alive on both sides, no log: HAProxy at its leanest. */
export const haproxy: Peer = {
  name: 'haproxy',
  available: () => isInstalled('haproxy') || 'haproxy is not installed (apt-get install haproxy)',
  async start({ port, backendPort, folder }) {
    const file = path.join(folder, 'haproxy.cfg')
    writeFileSync(
      file,
      `global\n  nbthread 1\n  maxconn 4096\ndefaults\n  mode http\n  timeout connect 1s\n  timeout client 60s\n  timeout server 60s\n  http-reuse always\n` +
        `frontend in\n  bind 127.0.0.1:${port}\n  default_backend app\nbackend app\n  server app 127.0.0.1:${backendPort}\n`,
    )
    const child = startProcess('haproxy', ['-db', '-f', file])
    await untilOpen(port)
    return { port, pid: child.pid as number, stop: () => stopProcess(child) }
  },
}

import { createRequire } from 'node:module'
import path from 'node:path'
import { freePorts } from '../../cli/demo/ports.ts'
import type { Peer } from '../peer.ts'
import { startProcess, stopProcess, untilOpen } from '../process.ts'

const program = `
const http = require('node:http'), proxy = require(process.argv[1]).createProxyServer({
  target: 'http://127.0.0.1:' + process.argv[3], agent: new http.Agent({ keepAlive: true }) })
proxy.on('error', (error, _request, response) => response.destroy(error))
http.createServer((request, response) => proxy.web(request, response)).listen(Number(process.argv[2]), '127.0.0.1')`

/** The usual Node proxy, with a keep-alive agent. */
export const httpProxy: Peer = {
  name: 'http-proxy',
  topologies: ['plain'],
  available: () => true,
  async start({ backendPort }) {
    const [port] = (await freePorts(1)) as [number]
    const module = path.dirname(createRequire(import.meta.url).resolve('http-proxy/package.json'))
    const child = startProcess(process.execPath, ['-e', program, module, String(port), String(backendPort)])
    await untilOpen(port)
    return {
      port,
      processes: [{ role: 'proxy', pid: child.pid as number }],
      stop: () => stopProcess(child),
    }
  },
}

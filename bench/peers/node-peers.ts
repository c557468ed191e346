/** Proxies that one would write on what Node and npm offer. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import type { Peer, Protocol } from '../peer.ts'
import { launchProgram } from './launch.ts'
import { type Launched, type Side, startSides } from './sides.ts'

const { resolve } = createRequire(import.meta.url)

function packageVersion(name: string): string {
  const { version } = JSON.parse(readFileSync(resolve(`${name}/package.json`), 'utf8')) as { version: string }
  return version
}

function nodePeer(name: string, version: () => string, protocol: Protocol = 'http1'): Peer {
  const launch = ({ port, upstreamPort }: Side): Promise<Launched> => {
    const program = path.join(import.meta.dirname, 'node', `${name}.ts`)
    return launchProgram(process.execPath, ['--no-warnings', program, String(port), String(upstreamPort)], {
      port,
    })
  }
  return {
    name,
    topologies: ['plain'],
    protocols: [protocol],
    available: () => true,
    version,
    start: (setup) => startSides(setup, launch),
  }
}

export const undici = nodePeer('undici', () => packageVersion('undici'))
export const nodeHttp = nodePeer('node-http', () => process.versions.node)
export const nodeHttp2 = nodePeer('node-http2', () => process.versions.node, 'http2')
export const httpProxy = nodePeer('http-proxy', () => packageVersion('http-proxy'))

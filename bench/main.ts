/**
 * CPU per request of the sidecar beside HAProxy and http-proxy: same backend, same load, rounds interleaved in one run,
 * so that what the machine does meanwhile hits all alike. `npm run bench [-- --guard] [-- --rounds N]`
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freePorts } from '../cli/demo/ports.ts'
import type { Peer, RunningPeer } from './peer.ts'
import { haproxy } from './peers/haproxy.ts'
import { httpProxy } from './peers/http-proxy.ts'
import { weft } from './peers/weft.ts'
import { cpuNs, isInstalled, startProcess, stopProcess, untilOpen } from './process.ts'
import { quartiles } from './quartiles.ts'
import { runWrk } from './wrk.ts'

const peers: readonly Peer[] = [haproxy, weft, httpProxy]
const connections = 16
const roundSeconds = 2
const warmUpSeconds = 4
/** Fails the guard when even the lower quartile of weft against HAProxy is above it: then it is no noise. */
const guardLimit = 1.8

async function startBackend(
  folder: string,
): Promise<{ readonly port: number; readonly stop: () => Promise<void> }> {
  const [port] = (await freePorts(1)) as [number]
  const file = path.join(folder, 'backend.conf')
  const body = 'x'.repeat(1024)
  writeFileSync(
    file,
    `daemon off;\nmaster_process off;\npid ${folder}/nginx.pid;\nerror_log /dev/null;\nevents { worker_connections 1024; }\n` +
      `http { access_log off; keepalive_requests 100000000; server { listen 127.0.0.1:${port}; location / { return 200 '${body}'; } } }\n`,
  )
  const child = startProcess('nginx', ['-c', file, '-p', folder])
  await untilOpen(port)
  return { port, stop: () => stopProcess(child) }
}

/** CPU microseconds per request; throws when a request failed: a fast failure is no result. */
async function measure(name: string, { port, pid }: RunningPeer): Promise<number> {
  const before = cpuNs(pid)
  const { requests, errors } = await runWrk(port, roundSeconds, connections)
  if (errors > 0 || requests === 0) throw new Error(`${name}: ${errors} of ${requests} requests failed`)
  return (cpuNs(pid) - before) / 1000 / requests
}

type Started = { readonly name: string; readonly running: RunningPeer; readonly costs: number[] }

async function startPeers(backendPort: number, folder: string, missing: string[]): Promise<Started[]> {
  const started: Started[] = []
  for (const peer of peers) {
    const available = peer.available()
    if (available !== true) {
      missing.push(available)
      continue
    }
    const [port] = (await freePorts(1)) as [number]
    const own = path.join(folder, peer.name)
    mkdirSync(own)
    started.push({
      name: peer.name,
      running: await peer.start({ port, backendPort, folder: own }),
      costs: [],
    })
  }
  return started
}

function report(started: readonly Started[], missing: readonly string[]): number {
  const base = started.find(({ name }) => name === 'haproxy')
  let guarded = Number.NaN
  process.stdout.write(`\nplain, saturated, ${connections} connections, 1 KB replies; medians (quartiles)\n`)
  for (const { name, costs } of started) {
    const cost = quartiles(costs)
    const ratios = base === undefined ? [] : costs.map((value, i) => value / (base.costs[i] as number))
    const ratio = quartiles(ratios)
    if (name === 'weft') guarded = ratio.lower
    const against =
      base === undefined
        ? ''
        : `  ${ratio.median.toFixed(2)} x HAProxy (${ratio.lower.toFixed(2)} to ${ratio.upper.toFixed(2)})`
    process.stdout.write(
      `  ${name.padEnd(11)} ${cost.median.toFixed(1).padStart(6)} us CPU per request${against}\n`,
    )
  }
  for (const reason of missing) process.stdout.write(`  missing: ${reason}\n`)
  return guarded
}

async function main(): Promise<number> {
  const guard = process.argv.includes('--guard')
  const at = process.argv.indexOf('--rounds')
  const rounds = at === -1 ? (guard ? 7 : 11) : Number(process.argv[at + 1])
  for (const tool of ['nginx', 'wrk']) {
    if (!isInstalled(tool)) throw new Error(`${tool} is not installed (apt-get install ${tool})`)
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'weft-bench-'))
  const backend = await startBackend(folder)
  const missing: string[] = []
  const started = await startPeers(backend.port, folder, missing)
  try {
    for (const { running } of started) await runWrk(running.port, warmUpSeconds, connections)
    for (let round = 0; round < rounds; round++) {
      // There and back, so that nobody is always first after a pause.
      const order = round % 2 === 0 ? started : started.toReversed()
      for (const { name, running, costs } of order) costs.push(await measure(name, running))
    }
  } finally {
    await Promise.all(started.map(({ running }) => running.stop()))
    await backend.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  const lowerQuartile = report(started, missing)
  if (!guard) return 0
  if (missing.length > 0) {
    process.stdout.write('guard: a peer is missing\n')
    return 1
  }
  const held = lowerQuartile <= guardLimit
  process.stdout.write(
    `guard: the lower quartile is ${lowerQuartile.toFixed(2)}, the limit ${guardLimit}: ${held ? 'ok' : 'LOST'}\n`,
  )
  return held ? 0 : 1
}

process.exitCode = await main()

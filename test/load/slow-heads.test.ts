/** 5,000 clients that never finish their heads, beside others that want to be served. */
import { spawn } from 'node:child_process'
import http from 'node:http'
import path from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { descriptorLimit } from '../../proxy/overload/process-limits.ts'
import { type SidecarProcess, startSidecarProcess, stopChild } from '../support/sidecar-process.ts'

const wanted = 5_000
/** For the others, on either side. */
const spare = 200
/** The sidecar takes half of its descriptors as connections, less what it needs itself. */
const count = Math.min(wanted, Math.floor((descriptorLimit() - 64) / 2) - spare)
const headTimeoutMs = 10_000
/** Deadlines are swept every half second, and 5,000 answers take some time to leave and be read. */
const slackMs = 3_000
/** Tens of milliseconds on two free cores; what is left is for a machine that has other things to do. */
const mostP99Ms = 1_000

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

function startApplication(): Promise<number> {
  const server = http.createServer((_request, response) => void response.end('ok'))
  cleanups.push(() => server.close(() => undefined).closeAllConnections())
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
  )
}

type Legitimate = { readonly latenciesMs: number[]; readonly failures: string[]; stopped: boolean }

/** One client that asks again and again, over one connection or a new one each time. */
async function ask(sidecar: SidecarProcess, agent: http.Agent, seen: Legitimate): Promise<void> {
  while (!seen.stopped) {
    const startedMs = performance.now()
    const outcome = await new Promise<string>((resolve) => {
      const headers = { host: 'app.shop:8080' }
      const request = http.get({ host: '127.0.0.1', port: sidecar.port, agent, headers }, (response) => {
        response.resume()
        response.on('end', () => resolve(String(response.statusCode)))
      })
      request.setTimeout(10_000, () => request.destroy(new Error('no answer within 10 s')))
      request.on('error', (error) => resolve(error.message))
    })
    if (outcome === '200') seen.latenciesMs.push(performance.now() - startedMs)
    else seen.failures.push(outcome)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1] as number
}

test(`${count} of ${wanted} clients that drip are all cut at the head deadline; others do not notice`, async () => {
  expect(count, 'the limit on open files is too low for this test').toBeGreaterThan(100)
  const sidecar = await startSidecarProcess(await startApplication())
  cleanups.push(() => sidecar.stop())
  const seen: Legitimate = { latenciesMs: [], failures: [], stopped: false }
  const kept = new http.Agent({ keepAlive: true })
  const fresh = new http.Agent({ keepAlive: false })
  cleanups.push(() => kept.destroy())
  const asking = [...Array(8).fill(kept), fresh, fresh].map((agent: http.Agent) => ask(sidecar, agent, seen))
  const dripping = spawn(
    process.execPath,
    [path.join(import.meta.dirname, 'dripping-clients.ts'), String(sidecar.port), String(count)],
    { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, WEFT_EXIT_WITH_PARENT: '1' } },
  )
  cleanups.push(() => stopChild(dripping))
  let output = ''
  dripping.stdout.on('data', (piece: Buffer) => {
    output += piece.toString()
  })
  await expect.poll(() => output, { timeout: 45_000 }).toContain('open\n')
  // The kernel's queue holds what the sidecar has yet to accept.
  await expect.poll(() => sidecar.metric('tcp_open_connections')).toBeGreaterThan(count * 0.9)
  expect(await sidecar.metric('process_open_fds')).toBeLessThan(count + spare)
  await expect.poll(() => output, { timeout: headTimeoutMs + 10_000, interval: 100 }).toContain('}\n')
  seen.stopped = true
  await Promise.all(asking)

  const report = JSON.parse(output.slice(output.indexOf('{'))) as Record<string, number>
  expect(report['refused']).toBe(0)
  expect(report['answered408']).toBe(count)
  expect(report['longestMs']).toBeLessThan(headTimeoutMs + slackMs)
  expect(seen.failures).toEqual([])
  expect(seen.latenciesMs.length).toBeGreaterThan(1000)
  const p99 = percentile(seen.latenciesMs, 0.99)
  process.stdout.write(
    `${count} dripping clients, longest ${report['longestMs']?.toFixed(0)} ms; ` +
      `${seen.latenciesMs.length} requests beside them, p50 ${percentile(seen.latenciesMs, 0.5).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms\n`,
  )
  expect(p99).toBeLessThan(mostP99Ms)
  await expect.poll(() => sidecar.metric('tcp_open_connections')).toBeLessThan(20)
}, 180_000)

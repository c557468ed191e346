/** After thousands of sessions of each kind of abuse a sidecar holds what it held before: heap, buffers and pages. */
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { floods } from '../conformance/http2-floods.ts'
import { type Http2Application, startHttp2Application } from '../support/http2-application.ts'
import { preface, settings, settingsAck } from '../support/http2-frames.ts'
import { type MeshProcesses, startMeshProcesses } from '../support/mesh-processes.ts'

/** Of each kind; 10,000 by hand: WEFT_ABUSE_SESSIONS=10000. */
const sessions = Number(process.env['WEFT_ABUSE_SESSIONS'] ?? 60)
const atOnce = 8
/** What is kept of one session, its tables and windows, is above 10 KB: of all of them it would be more than this. */
const mayGrowBytes = 500_000
/** Of all kinds together: what lies between blocks that are in use is not given back. */
const mayGrowRssBytes = 16_000_000

let app: Http2Application
let mesh: MeshProcesses

beforeAll(async () => {
  app = await startHttp2Application((stream, fields) => {
    if (fields[':path'] !== '/slow') stream.respond({ ':status': 200 }, { endStream: true })
  })
  mesh = await startMeshProcesses(app.port)
})

afterAll(async () => {
  await mesh.stop()
  await app.stop()
})

/** One session: sends the flood, and resolves when the sidecar has closed it. Rejects when it does not. */
function abuse(flood: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(mesh.ports.outbound, '127.0.0.1')
    const timer = setTimeout(() => socket.destroy(new Error('not closed within 10 s')), 10_000)
    let failure: Error | undefined
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // What it is still sending when it is cut off.
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') failure = error
    })
    socket.on('close', () => {
      clearTimeout(timer)
      if (failure === undefined) resolve()
      else reject(failure)
    })
    socket.resume()
    socket.write(flood)
  })
}

async function abuseAll(flood: Buffer, count: number): Promise<void> {
  const whole = Buffer.concat([preface, settings(), settingsAck, flood])
  let left = count
  const lane = async (): Promise<void> => {
    while (left-- > 0) await abuse(whole)
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
}

function rssBytes(): number {
  const status = readFileSync(`/proc/${mesh.sidecar.pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1)

let rssBefore = 0

test.each(floods)(
  'heap and buffers are what they were after sessions of: %s',
  async (name, flood) => {
    const { sidecar } = mesh
    // Code is compiled, and pools and caches are as large as they get.
    await abuseAll(flood, Math.min(sessions, 500))
    const before = await sidecar.heapBytes()
    rssBefore ||= rssBytes()
    await abuseAll(flood, sessions)
    const after = await sidecar.heapBytes()
    process.stdout.write(
      `${name}, ${sessions} sessions: heap and buffers ${megabytes(before)} MB before, ${megabytes(after)} after; RSS ${megabytes(rssBytes())}\n`,
    )
    expect(sidecar.ended()).toBeUndefined()
    expect(after - before).toBeLessThan(mayGrowBytes)
  },
  3_600_000,
)

test('and so is what the process holds of the machine, after all of them', () => {
  expect(rssBefore).toBeGreaterThan(0)
  expect(rssBytes() - rssBefore).toBeLessThan(mayGrowRssBytes)
})

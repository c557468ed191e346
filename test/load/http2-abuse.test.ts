/** After thousands of sessions of each kind of abuse a sidecar holds what it held before: heap, buffers and pages. */
import net from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { memoryOf } from '../../bench/process.ts'
import { floods } from '../conformance/http2-floods.ts'
import { type Http2Application, startHttp2Application } from '../support/http2-application.ts'
import { preface, settings, settingsAck } from '../support/http2-frames.ts'
import { type MeshProcesses, startMeshProcesses } from '../support/mesh-processes.ts'

/** Of each of the 19 kinds; by hand WEFT_ABUSE_SESSIONS=530, which are 10,000 in all, or more. */
const sessions = Number(process.env['WEFT_ABUSE_SESSIONS'] ?? 12)
/** Before anything is measured: code is compiled, and pools and caches are as large as they get. */
const warmUpSessions = 8
const atOnce = 8
/** That it takes a second at most is shown elsewhere, on a machine that does nothing else. */
const patienceMs = 60_000
/** What is kept of one session, its tables and windows, is above 10 KB: of all of them it would be more than this. */
const mayGrowBytes = 3_000_000
/** What lies between blocks that are in use is not given back. */
const mayGrowRssBytes = 16_000_000

let app: Http2Application
let mesh: MeshProcesses
let heapBefore = 0
let rssBefore = 0

beforeAll(async () => {
  app = await startHttp2Application((stream, fields) => {
    if (fields[':path'] !== '/slow') stream.respond({ ':status': 200 }, { endStream: true })
  })
  mesh = await startMeshProcesses(app.port)
  for (const [, flood] of floods) await abuseAll(flood, warmUpSessions)
  heapBefore = await mesh.sidecar.heapBytes()
  rssBefore = rssBytes()
}, 300_000)

afterAll(async () => {
  await mesh.stop()
  await app.stop()
})

/** One session: sends the flood, and resolves when the sidecar has closed it. Rejects when it does not. */
function abuse(flood: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(mesh.ports.outbound, '127.0.0.1')
    const timer = setTimeout(() => socket.destroy(new Error('it is not closed')), patienceMs)
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

const rssBytes = (): number => memoryOf(mesh.sidecar.pid).rss
const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1)

test.each(floods)(
  'a sidecar holds what it held before sessions of: %s',
  async (name, flood) => {
    const { sidecar } = mesh
    await abuseAll(flood, sessions)
    const bytes = await sidecar.heapBytes()
    process.stdout.write(
      `${name}, ${sessions} sessions: heap and buffers ${megabytes(bytes)} MB, before all kinds ${megabytes(heapBefore)}; RSS ${megabytes(rssBytes())}, before ${megabytes(rssBefore)}\n`,
    )
    expect(sidecar.ended()).toBeUndefined()
    expect(bytes - heapBefore).toBeLessThan(mayGrowBytes)
    expect(rssBytes() - rssBefore).toBeLessThan(mayGrowRssBytes)
  },
  3_600_000,
)

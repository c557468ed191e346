/** A gigabyte over HTTP/2 through two sidecars to a reader that is slower than its sender. */
import type http2 from 'node:http2'
import type { Duplex } from 'node:stream'
import { expect, onTestFailed, onTestFinished, test } from 'vitest'
import { startHttp2Application } from '../support/http2-application.ts'
import { connectHttp2 } from '../support/http2-client.ts'
import { processMemory } from '../support/process-memory.ts'
import { startSidecarPair } from '../support/sidecar-pair.ts'

const totalBytes = 2 ** 30
const piece = Buffer.alloc(256 * 1024, 'w')
/** What a slow reader takes before it rests; at first it rests long enough for all windows to fill. */
const burstBytes = 64 * 1024 * 1024
const restMs = 20
const firstRestMs = 1000
/** What windows may hold of one stream at either end, and V8's own idea of when to collect it. */
const mayGrowBytes = 64 * 1024 * 1024

async function send(to: Duplex): Promise<void> {
  for (let left = totalBytes; left > 0 && !to.destroyed; left -= piece.length)
    if (!to.write(piece)) await new Promise<void>((resolve) => void to.once('drain', resolve))
  to.end()
}

function readSlowly(from: Duplex): Promise<number> {
  return new Promise((resolve, reject) => {
    let read = 0
    let burst = burstBytes
    from.on('data', (data: Buffer) => {
      read += data.length
      burst += data.length
      if (burst < burstBytes) return
      burst = 0
      from.pause()
      setTimeout(() => from.resume(), read === data.length ? firstRestMs : restMs)
    })
    from.on('end', () => resolve(read))
    from.on('error', reject)
  })
}

function open(session: http2.ClientHttp2Session, method: 'GET' | 'POST'): http2.ClientHttp2Stream {
  const fields = { ':method': method, ':path': '/', ':authority': 'orders.shop:8080' }
  return session.request(fields, { endStream: method === 'GET' })
}

/** Answers a POST with how many bytes it had, a GET with the gigabyte. */
const application = (stream: http2.ServerHttp2Stream, fields: http2.IncomingHttpHeaders): void => {
  if (fields[':method'] === 'GET') {
    stream.respond({ ':status': 200 })
    void send(stream)
    return
  }
  void readSlowly(stream).then((bytes) => {
    stream.respond({ ':status': 200 })
    stream.end(String(bytes))
  })
}

async function download(session: http2.ClientHttp2Session): Promise<number> {
  return readSlowly(open(session, 'GET'))
}

async function upload(session: http2.ClientHttp2Session): Promise<number> {
  const stream = open(session, 'POST')
  const answer = new Promise<number>((resolve, reject) => {
    stream.on('data', (data: Buffer) => resolve(Number(data.toString())))
    stream.on('error', reject)
  })
  await send(stream)
  return answer
}

test.each([
  ['reply', download],
  ['request', upload],
])(
  '1 GiB as a %s over HTTP/2 leaves the memory of both sidecars where it was',
  { timeout: 300_000 },
  async (name, exchange) => {
    const app = await startHttp2Application(application)
    onTestFinished(() => app.stop())
    const { outbound, inbound, stop } = await startSidecarPair(app.port, {
      appProtocol: 'kubernetes.io/h2c',
      settings: ['--access-log=json', '--log-level=info'],
    })
    onTestFinished(stop)
    onTestFailed(() => {
      process.stdout.write(`outbound said: ${outbound.log()}\ninbound said: ${inbound.log()}\n`)
    })
    const session = connectHttp2(outbound.port)
    onTestFinished(() => session.destroy())
    const before = [outbound, inbound].map(({ pid }) => processMemory(pid, 'VmRSS'))
    const startedMs = performance.now()
    expect(await exchange(session)).toBe(totalBytes)
    const grown = [outbound, inbound].map(({ pid }, i) => processMemory(pid, 'VmHWM') - (before[i] ?? 0))
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
    const mebibytes = grown.map((bytes) => (bytes / 2 ** 20).toFixed(0)).join(' and ')
    process.stdout.write(`a ${name} over HTTP/2: ${seconds} s, at most ${mebibytes} MiB more\n`)
    for (const bytes of grown) expect(bytes).toBeLessThan(mayGrowBytes)
  },
)

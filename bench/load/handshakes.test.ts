import { constants } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import tls from 'node:tls'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Certificates, writeCertificates } from '../peers/certificates.ts'
import { Handshakes } from './handshakes.ts'
import { plainGet } from './request.ts'

let folder: string
let certificates: Certificates
let server: tls.Server

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'weft-handshakes-'))
  certificates = await writeCertificates(folder)
})

afterEach(() => {
  server.close()
  rmSync(folder, { recursive: true })
})

/** Gives what the server has seen of each connection: whether it was resumed. */
async function serve(options: tls.TlsOptions = {}): Promise<boolean[]> {
  const seen: boolean[] = []
  const { roots, certificate, key } = certificates.server
  server = tls.createServer(
    {
      ca: readFileSync(roots),
      cert: readFileSync(certificate),
      key: readFileSync(key),
      requestCert: true,
      rejectUnauthorized: true,
      ...options,
    },
    (socket) => {
      seen.push(socket.isSessionReused())
      socket.on('error', () => undefined)
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'))
    },
  )
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return seen
}

function handshakes(resumed: boolean): Handshakes {
  const { port } = server.address() as AddressInfo
  return new Handshakes({
    port,
    connections: 2,
    request: plainGet,
    seconds: 0.2,
    resumed,
    clientTls: certificates.client,
  })
}

test.each([false, true])(
  'each connection has a handshake of the kind asked for; resumed: %s',
  async (resumed) => {
    const seen = await serve()
    const load = handshakes(resumed)
    await load.prepare()
    const { completed, errors } = await load.run()
    expect(errors).toBe(0)
    expect(completed).toBeGreaterThan(0)
    // The first one only brings the ticket.
    expect(seen.slice(1)).toEqual(Array.from({ length: completed }, () => resumed))
  },
)

test('a server that resumes nothing gives no result for resumed handshakes', async () => {
  // Without tickets OpenSSL hands out ids of sessions, which a server of Node does not keep.
  await serve({ secureOptions: constants.SSL_OP_NO_TICKET })
  const load = handshakes(true)
  await load.prepare()
  const { completed, errors } = await load.run()
  expect(completed).toBe(0)
  expect(errors).toBeGreaterThan(0)
})

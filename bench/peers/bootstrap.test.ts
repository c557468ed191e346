import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadBootstrap } from '../../proxy/bootstrap/decode-bootstrap.ts'
import { bootstrapJson } from './bootstrap.ts'
import { writeCertificates } from './certificates.ts'
import type { Side } from './sides.ts'

const usual = { protocol: 'http1', largeBuffers: false } as const

let folder: string

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'weft-bench-bootstrap-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

function loaded(side: Omit<Side, 'folder'>): ReturnType<typeof loadBootstrap> {
  const file = path.join(folder, 'bootstrap.json')
  writeFileSync(file, bootstrapJson({ ...side, folder }, 9901))
  return loadBootstrap(file)
}

test('weft takes the file that Envoy runs from, with all routes, retries and both sides of mutual TLS', async () => {
  const { client, server } = await writeCertificates(folder)
  const plain = { port: 8080, upstreamPort: 8081, serverTls: undefined, clientTls: undefined, ...usual }
  const outbound = loaded({ ...plain, role: 'outbound', routes: 100, clientTls: client })
  expect(outbound.adminAddress).toEqual({ host: '127.0.0.1', port: 9901 })
  const [listener] = outbound.listeners
  if (listener?.serve.kind !== 'http') throw new Error('it serves no HTTP')
  expect(listener.serve.hosts[0]?.rules).toHaveLength(100)
  expect(listener.serve.hosts[0]?.rules.at(-1)?.match.path).toEqual({ kind: 'prefix', value: '/' })
  expect(outbound.clusters[0]?.tls).toMatchObject({ serverName: 'app', minVersion: 'TLSv1.3' })
  expect(outbound.clusters[0]?.config.balancing.algorithm.kind).toBe('least-request')
  const inbound = loaded({ ...plain, role: 'inbound', routes: 1, serverTls: server })
  expect(inbound.listeners[0]?.tls).toMatchObject({ requireClientCertificate: true, minVersion: 'TLSv1.3' })
})

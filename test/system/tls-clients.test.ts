/** Clients that people use, and a sidecar's listener with TLS: ALPN decides what is spoken. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type HttpApplication, startHttpApplication } from '../support/http-application.ts'
import { startTlsSidecar, type TlsSidecar } from '../support/tls-sidecar.ts'
import { describeWith } from './requirements.ts'

const run = promisify(execFile)

describeWith(['curl', 'nghttp', 'h2load'], 'clients with TLS', () => {
  let application: HttpApplication
  let sidecar: TlsSidecar
  let url: string

  beforeAll(async () => {
    application = await startHttpApplication('app')
    sidecar = await startTlsSidecar(application.port)
    url = `https://127.0.0.1:${sidecar.port}/`
  }, 60_000)
  afterAll(async () => {
    await sidecar?.stop()
    await application?.stop()
  })

  test.each([
    ['by itself', [], '2 200'],
    ['that wants HTTP/2', ['--http2'], '2 200'],
    ['that wants HTTP/1.1', ['--http1.1'], '1.1 200'],
    ['that offers nothing', ['--no-alpn'], '1.1 200'],
  ])('curl %s', async (_, options, expected) => {
    const format = ['-sk', '-o', '/dev/null', '-w', '%{http_version} %{http_code}']
    expect((await run('curl', [...format, ...options, url])).stdout).toBe(expected)
  })

  test('nghttp is told h2', async () => {
    const { stdout } = await run('nghttp', ['-nv', url])
    expect(stdout).toContain('The negotiated protocol: h2')
    expect(stdout).toContain(':status: 200')
  })

  test('h2load fails no request', async () => {
    const { stdout } = await run('h2load', ['-n500', '-c4', '-m20', url])
    expect(stdout).toContain('Application protocol: h2')
    expect(stdout).toContain('500 succeeded, 0 failed, 0 errored')
  })
})

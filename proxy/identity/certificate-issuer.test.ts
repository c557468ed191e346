import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Server, ServerCredentials, type handleUnaryCall, status } from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { certificateService } from '../../api/xds/services.ts'
import { GrpcCertificateIssuer } from './certificate-issuer.ts'
import { readRoots } from './control-plane-files.ts'
import { TestRoot } from './test-pki.ts'

type Request = { csr?: string | undefined; validityDuration?: number | undefined }
type Handler = handleUnaryCall<Request, { certChain?: readonly string[] | undefined }>

describe('GrpcCertificateIssuer', () => {
  let folder: string
  let root: TestRoot
  let server: Server
  let port: number
  let handler: Handler
  let tokens: unknown[]

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'weft-issuer-'))
    root = await TestRoot.make()
    tokens = []
    handler = (call, callback) =>
      callback(null, { certChain: [call.request.csr ?? '', String(call.request.validityDuration)] })
    const { certificatePem, keyPem } = await root.leaf({ uris: [], dns: ['localhost'], ip: ['127.0.0.1'] })
    server = new Server()
    server.addService(certificateService, {
      CreateCertificate: ((call, callback) => {
        tokens.push(call.metadata.get('authorization')[0])
        handler(call, callback)
      }) as Handler,
    })
    const pair = { private_key: Buffer.from(keyPem), cert_chain: Buffer.from(certificatePem) }
    port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('0.0.0.0:0', ServerCredentials.createSsl(null, [pair]), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      )
    })
    writeFileSync(join(folder, 'token'), 'first\n')
    writeFileSync(join(folder, 'roots.pem'), root.pem)
  })
  afterEach(() => {
    server.forceShutdown()
    rmSync(folder, { recursive: true })
  })

  const issuer = (timeoutMs = 5000, host = 'localhost') =>
    new GrpcCertificateIssuer({
      controlPlane: { host, port },
      roots: () => readRoots(join(folder, 'roots.pem')),
      tokenFile: join(folder, 'token'),
      lifetimeMs: 3_600_000,
      timeoutMs,
    })

  const codeOf = (promise: Promise<unknown>) =>
    promise.then(
      () => 'accepted',
      (error: { code: string }) => error.code,
    )

  it('sends the request with the token that the file holds now', async () => {
    const reused = issuer()
    expect(await reused.issue('a csr')).toEqual(['a csr', '3600'])
    writeFileSync(join(folder, 'token'), 'second')
    await reused.issue('a csr')
    expect(tokens).toEqual(['Bearer first', 'Bearer second'])
  })

  it('knows the control plane by IP address too, if its certificate names that', async () => {
    expect(await issuer(5000, '127.0.0.1').issue('a csr')).toHaveLength(2)
    expect(await codeOf(issuer(5000, '127.0.0.2').issue('a csr'))).toBe('CONTROL_PLANE_UNTRUSTED')
    expect(tokens).toHaveLength(1)
  })

  it.each([
    [status.UNAUTHENTICATED, 'CONTROL_PLANE_REFUSED'],
    [status.PERMISSION_DENIED, 'CONTROL_PLANE_REFUSED'],
    [status.UNAVAILABLE, 'CONTROL_PLANE_UNREACHABLE'],
    [status.RESOURCE_EXHAUSTED, 'ENROLMENT_FAILED'],
  ])('names status %i %s', async (code, expected) => {
    handler = (_call, callback) => callback({ code, details: 'no' })
    expect(await codeOf(issuer().issue('a csr'))).toBe(expected)
  })

  it('gives up on a control plane that does not answer, is not there, or is not the one it trusts', async () => {
    handler = () => {}
    expect(await codeOf(issuer(50).issue('a csr'))).toBe('CONTROL_PLANE_UNREACHABLE')
    writeFileSync(join(folder, 'roots.pem'), (await TestRoot.make()).pem)
    expect(await codeOf(issuer().issue('a csr'))).toBe('CONTROL_PLANE_UNTRUSTED')
    server.forceShutdown()
    expect(await codeOf(issuer().issue('a csr'))).toBe('CONTROL_PLANE_UNREACHABLE')
    expect(tokens).toHaveLength(1)
  })

  it('says which file is missing or wrong', async () => {
    writeFileSync(join(folder, 'token'), 'two words')
    expect(await codeOf(issuer().issue('a csr'))).toBe('TOKEN_MALFORMED')
    rmSync(join(folder, 'token'))
    expect(await codeOf(issuer().issue('a csr'))).toBe('TOKEN_FILE_UNREADABLE')
    writeFileSync(join(folder, 'token'), 'first')
    writeFileSync(join(folder, 'roots.pem'), 'garbage')
    expect(await codeOf(issuer().issue('a csr'))).toBe('CERTIFICATE_INVALID')
    rmSync(join(folder, 'roots.pem'))
    expect(await codeOf(issuer().issue('a csr'))).toBe('FILE_UNREADABLE')
  })
})

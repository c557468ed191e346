/** A CA beside the control plane: a second implementation of istio.v1.auth.IstioCertificateService certifies the workloads. */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type sendUnaryData, Server, ServerCredentials, type ServerUnaryCall, status } from '@grpc/grpc-js'
import { expect, onTestFinished, test } from 'vitest'
import { certificateService } from '../../api/xds/services.ts'
import { GrpcCertificateIssuer } from '../../proxy/identity/certificate-issuer.ts'
import { createCertificateRequest } from '../../proxy/identity/certificate-request.ts'
import { makeKey } from '../../proxy/identity/own-certificate.ts'
import { TestRoot } from '../../proxy/identity/test-pki.ts'
import { startSteadyLoad } from '../support/steady-load.ts'
import { TwinMesh } from '../support/twin-mesh.ts'

type Request = { readonly csr?: string; readonly validityDuration?: number }
type Reply = { readonly certChain: readonly string[] }

/** Knows who calls by nothing but its own tokens, and signs with an intermediate of nobody's but its own root. */
async function startOtherCa(root: TestRoot) {
  const asked: string[] = []
  const answer = async (call: ServerUnaryCall<Request, Reply>, callback: sendUnaryData<Reply>) => {
    const [token] = call.metadata.get('authorization')
    const account = /^Bearer other-ca\.(\w+)$/.exec(String(token))?.[1]
    if (account === undefined) return callback({ code: status.UNAUTHENTICATED })
    asked.push(account)
    const issuer = root.issuer(`spiffe://cluster.local/ns/shop/sa/${account}`)
    callback(null, { certChain: await issuer.issue(call.request.csr ?? '') })
  }
  const { certificatePem, keyPem } = await root.leaf({ uris: [], dns: ['localhost'] })
  const server = new Server()
  server.addService(certificateService, {
    CreateCertificate: (call: ServerUnaryCall<Request, Reply>, callback: sendUnaryData<Reply>) =>
      void answer(call, callback),
  })
  const pair = { private_key: Buffer.from(keyPem), cert_chain: Buffer.from(certificatePem) }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('localhost:0', ServerCredentials.createSsl(null, [pair]), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  onTestFinished(() => server.forceShutdown())
  return { port, asked }
}

test('workloads get their certificates from another CA, and trust each other by its root alone', async () => {
  const root = await TestRoot.make('the other CA')
  const { port, asked } = await startOtherCa(root)
  const mesh = await TwinMesh.start({
    files: { 'other.pem': root.pem, 'left.other': 'other-ca.left', 'right.other': 'other-ca.right' },
    controlPlane: (folder) => [`--trust-bundle=${path.join(folder, 'other.pem')}`],
    sidecars: (folder, name) => [
      `--certificate-authority=localhost:${port}`,
      `--certificate-authority-ca=${path.join(folder, 'other.pem')}`,
      `--certificate-authority-token-file=${path.join(folder, `${name}.other`)}`,
    ],
  })
  onTestFinished(mesh.stop)
  const load = startSteadyLoad({
    outbound: mesh.left.outbound,
    to: 'right.shop:8080',
    expected: 'right',
    perSecond: 40,
    tunnelsPerSecond: 0,
  })
  await new Promise((resolve) => setTimeout(resolve, 500))
  const { failures, requests } = await load.stop()
  expect(failures).toEqual([])
  expect(requests).toBeGreaterThan(10)
  expect([...new Set(asked)].toSorted()).toEqual(['left', 'right'])
  expect(await mesh.right.metric('tls_handshakes_total', 'direction="inbound",outcome="ok"')).toBeGreaterThan(
    0,
  )
  // Our own CA issues nothing beside it.
  const own = new GrpcCertificateIssuer({
    controlPlane: { host: '127.0.0.1', port: mesh.grpcPort },
    roots: () => readFileSync(path.join(mesh.state, 'root-cert.pem')),
    tokenFile: path.join(mesh.folder, 'left.token'),
  })
  await expect(
    own.issue(createCertificateRequest(makeKey(), 'spiffe://cluster.local/ns/shop/sa/left')),
  ).rejects.toThrow('certificates are issued elsewhere')
  // Its certificate is enough for the control plane, of whom it asks only its configuration: the token counts no more.
  writeFileSync(path.join(mesh.folder, 'left.token'), 'a.b.c')
  await mesh.stopControlPlane()
  await mesh.startControlPlane()
  const connected = async () => (await fetch(`http://127.0.0.1:${mesh.adminPort}/clients`)).json()
  const left = expect.objectContaining({ node: 'left.shop' })
  await expect.poll(connected, { timeout: 15_000 }).toEqual(expect.arrayContaining([left]))
})

/** Two data paths with real mesh mTLS between them: `web`'s outbound side, and the inbound side before one application. */
import { systemClock } from '../../core/clock.ts'
import type { ErrorCode } from '../../core/errors.ts'
import { freePorts } from '../../cli/demo/ports.ts'
import { untilOpen } from '../../bench/process.ts'
import { meshTlsOnly } from '../../proxy/authz/access-rules.ts'
import { type Identities, makeIdentity } from '../../proxy/identity/identity.ts'
import { TlsClient } from '../../proxy/identity/tls-client.ts'
import { TlsServer } from '../../proxy/identity/tls-server.ts'
import { type LeafOptions, TestRoot } from '../../proxy/identity/test-pki.ts'
import { parseTrustBundle } from '../../proxy/identity/trust-bundle.ts'
import { PeerVerifier } from '../../proxy/identity/verify-peer.ts'
import { type PlainDataPath, setEndpoints, startPlainDataPath } from './plain-data-path.ts'

const trustDomain = 'cluster.local'
const web = 'spiffe://cluster.local/ns/test/sa/web'
const app = 'spiffe://cluster.local/ns/test/sa/app'

export type MeshPair = {
  /** Where `web` reaches its sidecar; `app.test` leads to the application. */
  readonly port: number
  readonly outbound: PlainDataPath
  readonly inbound: PlainDataPath
  /** Where the inbound side listens, and what a client of it shows. */
  readonly meshPort: number
  readonly clientTls: { readonly key: string; readonly cert: string; readonly ca: string }
  /** Why the inbound side took no connection, by code. */
  readonly refused: readonly ErrorCode[]
  readonly stop: () => void
}

async function identities(root: TestRoot, principal: string, leaf: LeafOptions): Promise<Identities> {
  const identity = makeIdentity(
    principal,
    await root.leaf({ uris: [principal], ...leaf }),
    parseTrustBundle(root.pem),
    undefined,
  )
  return { current: identity, onChange: () => () => undefined }
}

/** `leaves` says what is special about the certificate of either side. */
export async function startMeshPair(
  applicationPort: number,
  leaves: { readonly web?: LeafOptions; readonly app?: LeafOptions } = {},
  /** What the inbound side speaks; undefined: all that a sidecar does. */
  alpn?: readonly string[],
  /** The application speaks HTTP/2 only. */
  http2 = false,
): Promise<MeshPair> {
  const root = await TestRoot.make()
  const [listenPort = 0] = await freePorts(1)
  const clock = systemClock
  const verifier = new PeerVerifier({ trustDomain, clock })
  const server = new TlsServer({
    verifier,
    identities: await identities(root, app, leaves.app ?? {}),
    ...(alpn === undefined ? {} : { alpn }),
  })
  const ofClient = await identities(root, web, leaves.web ?? {})
  const client = new TlsClient({
    verifier,
    // It shows what it has, whatever its end, so that the other side has something to refuse.
    clock: { ...clock, wallMs: () => 0 },
    identities: ofClient,
  })
  const refused: ErrorCode[] = []
  const inbound = await startPlainDataPath([], {
    outboundAddress: undefined,
    onRefused: ({ code }) => void refused.push(code),
    acceptMesh: (socket, onSecure, onRefused) => server.accept(socket, onSecure, onRefused),
  })
  inbound.dataPath.setInbound({
    ports: [
      {
        listen: { host: '127.0.0.1', port: listenPort },
        applicationHost: '127.0.0.1',
        applicationPort,
        protocol: 'detect',
        http2,
        access: meshTlsOnly,
      },
    ],
  })
  await untilOpen(listenPort)
  const outbound = await startPlainDataPath([], { dialMesh: (target) => client.connect(target) })
  setEndpoints(outbound.dataPath, 'app', [listenPort], app, { http2 })
  const stop = (): void => {
    for (const side of [outbound, inbound]) side.stop()
    client.close()
    server.close()
  }
  const { certificatePem: cert = '', keyPem: key = '' } = ofClient.current ?? {}
  const clientTls = { key, cert, ca: root.pem }
  return { port: outbound.port, outbound, inbound, meshPort: listenPort, clientTls, refused, stop }
}

/** Arbitrary bytes of other protocols, whole or damaged: TLS, HTTP/2 with gRPC in it, noise. Latin1 text. */
import { Buffer } from 'node:buffer'
import net from 'node:net'
import tls from 'node:tls'
import fc from 'fast-check'
import { mutated } from './mutation.ts'

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const ads = '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources'
const ca = '/istio.v1.auth.IstioCertificateService/CreateCertificate'

function frame(
  type: number,
  flags: number,
  stream: number,
  payload: string,
  length = payload.length,
): string {
  const head = Buffer.alloc(9)
  head.writeUIntBE(length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return head.toString('latin1') + payload
}

/** Literals without indexing: RFC 7541 6.2.2. */
function headerBlock(pairs: readonly (readonly [string, string])[]): string {
  const length = (text: string): string => String.fromCharCode(text.length)
  return pairs.map(([name, value]) => `\0${length(name)}${name}${length(value)}${value}`).join('')
}

const settings = frame(4, 0, 0, '')
const noise = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 60,
})
const path = fc.constantFrom(ads, ca, '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', '/', '')

const grpcCall = fc
  .tuple(
    path,
    fc.array(noise, { maxLength: 3 }),
    fc.constantFrom('Bearer a.b.c', 'Bearer ', '\xff', ''),
    fc.boolean(),
  )
  .map(([name, messages, authorization, ends]) => {
    const head = headerBlock([
      [':method', 'POST'],
      [':scheme', 'https'],
      [':path', name],
      [':authority', 'localhost'],
      ['content-type', 'application/grpc'],
      ['te', 'trailers'],
      ['authorization', authorization],
    ])
    const data = messages.map((message) =>
      frame(0, 0, 1, `\0\0\0\0${String.fromCharCode(message.length)}${message}`),
    )
    return `${frame(1, 4, 1, head)}${data.join('')}${ends ? frame(0, 1, 1, '') : ''}`
  })
const anyFrame = fc
  .tuple(
    fc.integer({ min: 0, max: 11 }),
    fc.integer({ min: 0, max: 255 }),
    fc.constantFrom(0, 1, 2, 3, 5, 2 ** 31 - 1),
    noise,
    fc.constantFrom(undefined, undefined, undefined, 0, 1, 20_000, 2 ** 24 - 1),
  )
  .map(([type, flags, stream, payload, length]) => frame(type, flags, stream, payload, length))

export const http2Bytes: fc.Arbitrary<string> = mutated(
  fc
    .array(fc.oneof({ weight: 2, arbitrary: grpcCall }, { weight: 3, arbitrary: anyFrame }), { maxLength: 6 })
    .map((frames) => preface + settings + frames.join('')),
)

export const noiseBytes: fc.Arbitrary<string> = noise

/** What Node says first to a TLS server, by the protocols that it offers. */
async function clientHello(alpn: readonly string[]): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (bytes) => {
      resolve(bytes.toString('latin1'))
      socket.destroy()
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as net.AddressInfo
  const client = tls.connect({ port, host: '127.0.0.1', ALPNProtocols: [...alpn], servername: 'app.test' })
  client.on('error', () => undefined)
  const hello = await promise
  client.destroy()
  server.close()
  return hello
}

/** ClientHellos of each kind that a listener looks at, and what may follow them. */
export async function tlsBytes(): Promise<fc.Arbitrary<string>> {
  const hellos = await Promise.all([['weft-h1'], ['weft-tcp'], ['h2'], []].map((alpn) => clientHello(alpn)))
  return mutated(fc.tuple(fc.constantFrom(...hellos), noise).map(([hello, rest]) => hello + rest))
}

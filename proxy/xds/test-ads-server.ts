/** A real ADS server on loopback that says what a test tells it to, and a connection to it that can be cut. */
import net from 'node:net'
import * as grpc from '@grpc/grpc-js'
import { aggregatedDiscoveryService } from '../../api/xds/services.ts'
import { type ResourceKind, typeUrls } from '../../api/xds/type-urls.ts'
import type { DeltaDiscoveryRequest, DeltaDiscoveryResponse } from '../../api/xds/types.ts'

type Call = grpc.ServerDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse | Buffer>
export type Sent = { readonly name: string; readonly version: string; readonly bytes?: Uint8Array }

/** What comes later, in order: `next` waits for it. */
class Arrivals<T> {
  readonly #come: T[] = []
  readonly #waiting: ((value: T) => void)[] = []

  add(value: T): void {
    const waiting = this.#waiting.shift()
    if (waiting === undefined) this.#come.push(value)
    else waiting(value)
  }

  next(): Promise<T> {
    const value = this.#come.shift()
    return value === undefined
      ? new Promise((resolve) => this.#waiting.push(resolve))
      : Promise.resolve(value)
  }

  /** What came, and was not waited for. */
  get unread(): readonly T[] {
    return this.#come
  }
}

export class TestAdsStream {
  readonly #call: Call
  readonly #requests = new Arrivals<DeltaDiscoveryRequest>()

  constructor(call: Call) {
    this.#call = call
    call.on('data', (request: DeltaDiscoveryRequest) => this.#requests.add(request))
    call.on('error', () => undefined)
  }

  get metadata(): grpc.Metadata {
    return this.#call.metadata
  }

  next(): Promise<DeltaDiscoveryRequest> {
    return this.#requests.next()
  }

  get unread(): readonly DeltaDiscoveryRequest[] {
    return this.#requests.unread
  }

  /** Takes the client in, and says nothing yet. */
  accept(): void {
    this.#call.sendMetadata(new grpc.Metadata())
  }

  send(kind: ResourceKind, nonce: string, resources: readonly Sent[], removed: readonly string[] = []): void {
    this.sendRaw({
      typeUrl: typeUrls[kind],
      nonce,
      resources: resources.map(({ name, version, bytes }) => ({
        name,
        version,
        resource: { typeUrl: typeUrls[kind], value: bytes ?? Buffer.from(version) },
      })),
      removedResources: removed,
    })
  }

  sendRaw(response: DeltaDiscoveryResponse): void {
    this.#call.write(response)
  }

  fail(code: grpc.status, details = 'no'): void {
    this.#call.emit('error', { code, details })
  }

  end(): void {
    this.#call.end()
  }
}

export class TestAdsServer {
  readonly port: number
  readonly #server: grpc.Server
  readonly #streams: Arrivals<TestAdsStream>

  private constructor(port: number, server: grpc.Server, streams: Arrivals<TestAdsStream>) {
    this.port = port
    this.#server = server
    this.#streams = streams
  }

  /** A port is given to come back where clients know it. */
  static start(port = 0): Promise<TestAdsServer> {
    const streams = new Arrivals<TestAdsStream>()
    const server = new grpc.Server()
    server.addService(
      { delta: aggregatedDiscoveryService.DeltaAggregatedResources },
      { delta: (call: Call) => streams.add(new TestAdsStream(call)) },
    )
    return new Promise((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(new TestAdsServer(bound, server, streams)) : reject(error),
      )
    })
  }

  nextStream(): Promise<TestAdsStream> {
    return this.#streams.next()
  }

  stop(): void {
    this.#server.forceShutdown()
  }
}

/** Passes bytes on to `port`, and cuts each connection once so many bytes came back. */
export async function cuttingRelay(
  port: number,
  bytes: number,
): Promise<{ readonly port: number; readonly stop: () => void }> {
  const sockets = new Set<net.Socket>()
  const relay = net.createServer((client) => {
    const server = net.connect(port, '127.0.0.1')
    let left = bytes
    for (const socket of [client, server]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        client.destroy()
        server.destroy()
      })
    }
    client.pipe(server)
    server.on('data', (piece: Buffer) => {
      const part = piece.subarray(0, left)
      left -= part.length
      if (left > 0) client.write(part)
      else client.end(part)
    })
  })
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
  const stop = (): void => {
    relay.close()
    for (const socket of sockets) socket.destroy()
  }
  return { port: (relay.address() as net.AddressInfo).port, stop }
}

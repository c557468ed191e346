/** A small mesh and the server's ends of streams over it, for tests. */
import { EventEmitter } from 'node:events'
import { createLog } from '../../core/log.ts'
import { ManualClock } from '../../core/manual-clock.ts'
import type { WorkloadIdentity } from '../ca/authenticator.ts'
import { MeshModel } from '../model/mesh-model.ts'
import type { Change } from '../model/objects.ts'
import { service, slice, split, workload } from '../model/test-objects.ts'
import { Snapshot } from '../snapshot/snapshot.ts'
import { ResponseCache } from './delta-stream.ts'
import type { PushStats, Subscriber } from './subscriber.ts'

export const web: WorkloadIdentity = { namespace: 'shop', serviceAccount: 'web' }
export const nameOf = (name: string): string => `${name}.shop.svc.cluster.local:8080`

/** What the streams use of grpc-js: requests come in by `receive`, and `reads = false` is a client that reads nothing. */
export class TestCall<Request, Response> extends EventEmitter {
  readonly written: Response[] = []
  readonly refusals: unknown[] = []
  writableEnded = false
  reads = true

  constructor() {
    super()
    // As grpc-js does: an error is the stream's status.
    this.on('error', (error) => {
      this.refusals.push(error)
      this.writableEnded = true
    })
  }

  write(response: Response): boolean {
    this.written.push(response)
    return this.reads
  }

  receive(request: Request): void {
    this.emit('data', request)
  }

  readAgain(): void {
    this.reads = true
    this.emit('drain')
  }
}

/** catalog, split 9 to 1 between catalog-v1 and catalog-v2, and the workload web. */
export class TestMesh {
  readonly model = new MeshModel()
  readonly snapshot = new Snapshot(this.model, {
    trustDomain: 'cluster.local',
    trustBundlePem: () => 'the roots',
  })
  readonly stats: PushStats = { pushes: 0, resources: 0, acks: 0, nacks: 0, streams: 0 }
  readonly responses = new ResponseCache()
  readonly clock = new ManualClock()
  readonly logLines: string[] = []
  readonly log = createLog({
    process: 'test',
    level: 'debug',
    destination: { write: (line) => void this.logLines.push(line) },
  })
  readonly #streams: Subscriber[] = []

  constructor() {
    this.model.apply([
      ...['catalog', 'catalog-v1', 'catalog-v2'].map((name) => service(name)),
      slice('catalog-v1', [{ address: '10.0.0.1' }]),
      slice('catalog-v2', [{ address: '10.0.0.2' }]),
      split('catalog', { 'catalog-v1': 9000, 'catalog-v2': 1000 }),
      workload('web'),
    ])
  }

  add<S extends Subscriber>(stream: S): S {
    this.#streams.push(stream)
    return stream
  }

  /** Takes the changes in and pushes what they touch, without the waiting. */
  change(...changes: readonly Change[]): void {
    this.push(this.snapshot.invalidate(this.model.apply(changes)))
  }

  push(dependencies: ReadonlySet<string>): void {
    for (const stream of this.#streams) stream.push(dependencies)
    this.responses.clear()
  }
}

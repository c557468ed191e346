/** Status in a cluster: an election between the replicas, and a writer that works while we are elected. */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Clock } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'
import type { KubernetesClient } from '../../core/kubernetes/api-client.ts'
import type { Dirty } from '../model/dirty.ts'
import type { MeshModel } from '../model/mesh-model.ts'
import type { Change } from '../model/objects.ts'
import type { Refusal } from '../providers/kubernetes/object-store.ts'
import { EventRecorder } from './event-recorder.ts'
import { LeaseLeader } from './lease-leader.ts'
import { StatusWriter } from './status-writer.ts'

const leaseName = 'weft-control-plane'

export class StatusReporter {
  readonly #leader: LeaseLeader
  readonly #writer: StatusWriter

  constructor(options: {
    readonly client: KubernetesClient
    readonly clock: Clock
    readonly log: Log
    readonly model: MeshModel
    /** Of the Lease. */
    readonly namespace: string
    /** Objects whose newest form is refused. */
    readonly refusals: () => readonly Refusal[]
  }) {
    const { client, clock, log, model, namespace, refusals } = options
    const identity = `${hostname()}_${randomBytes(6).toString('hex')}`
    const events = new EventRecorder({ client, clock, log, identity })
    const leads = (): boolean => this.#leader.leads
    this.#writer = new StatusWriter({ client, clock, log, model, events, leads, refusals })
    this.#leader = new LeaseLeader({
      client,
      clock,
      log,
      namespace,
      name: leaseName,
      identity,
      onElected: () => this.#writer.lookAtAll(),
    })
  }

  start(): void {
    this.#leader.start()
  }

  update(changes: readonly Change[], dirty: Dirty): void {
    this.#writer.update(changes, dirty)
  }

  /** An object's newest form is refused. */
  refuse(refusal: Refusal): void {
    this.#writer.refuse(refusal)
  }

  async stop(): Promise<void> {
    await this.#writer.stop()
    await this.#leader.stop()
  }
}

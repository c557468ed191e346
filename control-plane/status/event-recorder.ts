/** Writes Events about objects, as `kubectl describe` and `kubectl get events` show them: what is said again is counted. */
import { createHash } from 'node:crypto'
import type { Clock } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'
import { OutageLog } from '../../core/outage-log.ts'
import type { KubernetesClient } from '../../core/kubernetes/api-client.ts'
import { failureOf } from '../../core/kubernetes/api-failure.ts'
import type { ObjectReference } from '../kubernetes-objects/object-reference.ts'
import { apiTime } from './api-time.ts'
import { EventBudget } from './event-budget.ts'
import { controllerName } from './merged-status.ts'
import type { StatusEvent } from './status-events.ts'

type Written = Readonly<Record<string, unknown>> & { readonly count?: number }

const component = 'weft-control-plane'
const maxMessageLength = 1024
/** Of an object's name, so that what follows fits into 253. */
const maxNameLength = 200

/** Events about what is in no namespace are where Kubernetes' own are. */
function namespaceOf({ namespace }: ObjectReference): string {
  return namespace === '' ? 'default' : namespace
}

/** The same for the same thing: a second one of it is refused, also from another replica. */
function nameOf({ name, uid }: ObjectReference, { type, reason, message }: StatusEvent): string {
  const hash = createHash('sha256').update(JSON.stringify([uid, type, reason, message]))
  return `${name.slice(0, maxNameLength).replace(/[-.]+$/, '')}.${hash.digest('hex').slice(0, 16)}`
}

function eventOf(
  involved: ObjectReference,
  event: StatusEvent,
  name: string,
  now: string,
  instance: string,
): object {
  const { type, reason, message } = event
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace: namespaceOf(involved) },
    involvedObject: involved,
    type,
    reason,
    message: message.slice(0, maxMessageLength),
    source: { component },
    reportingComponent: controllerName,
    reportingInstance: instance,
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
  }
}

export type EventRecorderOptions = {
  readonly client: KubernetesClient
  readonly clock: Clock
  readonly log: Log
  /** Of this replica. */
  readonly identity: string
}

export class EventRecorder {
  readonly #options: EventRecorderOptions
  readonly #outages: OutageLog
  readonly #budget: EventBudget

  constructor(options: EventRecorderOptions) {
    this.#options = options
    this.#outages = new OutageLog(options.log)
    this.#budget = new EventBudget(options.clock.monotonicMs)
  }

  /** One after the other. Never rejects: conditions say the same, so that an Event that cannot be written is only logged. */
  async record(involved: ObjectReference, events: readonly StatusEvent[]): Promise<void> {
    for (const event of events) {
      if (!this.#budget.take(involved.uid)) {
        const { kind, namespace, name } = involved
        this.#options.log.debug({ object: `${kind} ${namespace}/${name}`, ...event }, 'too many Events')
        continue
      }
      try {
        await this.#write(involved, event)
        this.#outages.over('events')
      } catch (error) {
        this.#outages.failed('events', error)
      }
    }
  }

  async #write(involved: ObjectReference, event: StatusEvent): Promise<void> {
    const { client, clock, identity } = this.#options
    const now = apiTime(clock)
    const name = nameOf(involved, event)
    const namespace = namespaceOf(involved)
    const path = `/api/v1/namespaces/${namespace}/events`
    const made = await client.request('POST', path, eventOf(involved, event, name, now, identity))
    if (made.status === 201) return
    if (made.status !== 409) throw failureOf(made, `writing Event ${namespace}/${name}`)
    const read = await client.request('GET', `${path}/${name}`)
    if (read.status !== 200) throw failureOf(read, `reading Event ${namespace}/${name}`)
    const before = read.body as Written
    const again = { ...before, count: (before.count ?? 1) + 1, lastTimestamp: now }
    const counted = await client.request('PUT', `${path}/${name}`, again)
    if (counted.status !== 200) throw failureOf(counted, `counting Event ${namespace}/${name}`)
  }
}

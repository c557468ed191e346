/** Writes into routes, splits and policies what is done with them: the leader only, with optimistic locking. */
import { isDeepStrictEqual } from 'node:util'
import { Backoff } from '../../core/backoff.ts'
import type { Clock, Timer } from '../../core/clock.ts'
import { failureFields } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import { OutageLog } from '../../core/outage-log.ts'
import type { KubernetesClient } from '../../core/kubernetes/api-client.ts'
import { failureOf } from '../../core/kubernetes/api-failure.ts'
import { convertObject } from '../kubernetes-objects/convert.ts'
import { referenceOf } from '../kubernetes-objects/object-reference.ts'
import type { Dirty } from '../model/dirty.ts'
import { keyOf, type MeshModel } from '../model/mesh-model.ts'
import type { Change } from '../model/objects.ts'
import { offeredVersion } from '../providers/kubernetes/discovery.ts'
import type { Refusal } from '../providers/kubernetes/object-store.ts'
import { apiVersionOf } from '../providers/kubernetes/watched-kind.ts'
import { apiTime } from './api-time.ts'
import type { EventRecorder } from './event-recorder.ts'
import type { Observation } from './merged-status.ts'
import { refusalEvent, refusedStatus } from './refused-status.ts'
import { statusEvents } from './status-events.ts'
import {
  accessSubjects,
  allSubjects,
  idOf,
  mergedStatus,
  statusOf,
  type Subject,
  subjectKindOf,
  subjectOf,
  subjectsNaming,
  watchedKindOf,
} from './status-subject.ts'

export type StatusWriterOptions = {
  readonly client: KubernetesClient
  readonly clock: Clock
  readonly log: Log
  readonly model: MeshModel
  readonly events: EventRecorder
  readonly leads: () => boolean
  /** Objects whose newest form is refused. */
  readonly refusals: () => readonly Refusal[]
}

/** Whose status is to be looked at: as the mesh has it, or refused. */
type Entry = Subject | { readonly kind: 'refused'; readonly value: Refusal }
type Place = { readonly kind: Subject['kind']; readonly namespace: string; readonly name: string }
type Kept = Readonly<Record<string, unknown>> & {
  readonly metadata?: { readonly generation?: number }
  readonly status?: unknown
}

/** Undefined: an object of its kind has no status from us. */
function placeOf(entry: Entry): Place | undefined {
  if (entry.kind !== 'refused')
    return { kind: entry.kind, namespace: entry.value.namespace, name: entry.value.name }
  const { kind, namespace, name } = entry.value.reference
  const subject = subjectKindOf(kind)
  return subject === undefined || name === '' ? undefined : { kind: subject, namespace, name }
}

export class StatusWriter {
  readonly #options: StatusWriterOptions
  readonly #outages: OutageLog
  readonly #backoff = new Backoff({ baseMs: 200, maxMs: 5_000 })
  /** What is to be looked at, the newest form of each. */
  readonly #queue = new Map<string, Entry>()
  /** What was found to be said last, so that endpoints that come and go cost no request. */
  readonly #said = new Map<string, string>()
  /** By kind, what the cluster offers. */
  readonly #versions = new Map<string, string>()
  #working: Promise<void> | undefined
  #timer: Timer | undefined
  #stopped = false

  constructor(options: StatusWriterOptions) {
    this.#options = options
    this.#outages = new OutageLog(options.log)
  }

  /** What changed, and what it touched. */
  update(changes: readonly Change[], dirty: Dirty): void {
    for (const change of changes) {
      const id = `${change.kind} ${change.key}`
      const subject = subjectOf(change)
      if (subject !== undefined) this.#enqueue(subject)
      else {
        this.#queue.delete(id)
        this.#said.delete(id)
      }
    }
    for (const service of dirty.services)
      for (const subject of subjectsNaming(this.#options.model, service)) this.#compare(subject)
    // Whom they are about, and by what, is of their own namespace; clients may be bound in others.
    const namespaces = new Set(changes.map(({ key }) => key.split('/')[0] as string))
    for (const namespace of namespaces)
      for (const subject of accessSubjects(this.#options.model, namespace)) this.#compare(subject)
    this.#work()
  }

  /** An object's newest form is refused. */
  refuse(refusal: Refusal): void {
    this.#enqueueRefusal(refusal)
    this.#work()
  }

  /** We lead from now on: another replica may have left things unsaid. */
  lookAtAll(): void {
    for (const subject of allSubjects(this.#options.model)) this.#enqueue(subject)
    for (const refusal of this.#options.refusals()) this.#enqueueRefusal(refusal)
    this.#work()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#working
  }

  #enqueue(subject: Subject): void {
    this.#queue.set(idOf(subject), subject)
    this.#said.set(idOf(subject), JSON.stringify(statusOf(this.#options.model, subject)))
  }

  /** In the place of what was to be said of the form before. */
  #enqueueRefusal(value: Refusal): void {
    const { kind, namespace, name } = value.reference
    this.#queue.set(`${subjectKindOf(kind) ?? kind} ${keyOf(namespace, name)}`, { kind: 'refused', value })
  }

  #compare(subject: Subject): void {
    const status = JSON.stringify(statusOf(this.#options.model, subject))
    if (this.#said.get(idOf(subject)) !== status) this.#enqueue(subject)
  }

  #work(): void {
    if (this.#working !== undefined || this.#timer !== undefined || this.#stopped) return
    this.#working = this.#drain().finally(() => {
      this.#working = undefined
      // What came while it was ending.
      if (this.#queue.size > 0) this.#work()
    })
  }

  async #drain(): Promise<void> {
    while (this.#queue.size > 0 && !this.#stopped) {
      // Whoever leads does it; when we do, everything is looked at.
      if (!this.#options.leads()) return this.#queue.clear()
      const [[id, entry]] = this.#queue as unknown as [[string, Entry]]
      this.#queue.delete(id)
      try {
        const written = await this.#say(entry)
        if (!written && !this.#queue.has(id)) this.#queue.set(id, entry)
        this.#backoff.reset()
        this.#outages.over('status')
      } catch (error) {
        this.#outages.failed('status', error)
        if (!this.#queue.has(id)) this.#queue.set(id, entry)
        this.#timer = this.#options.clock.after(this.#backoff.nextMs(), () => {
          this.#timer = undefined
          this.#work()
        })
        return
      }
    }
  }

  /** False: somebody else wrote meanwhile, and it has to be looked at again. */
  async #say(entry: Entry): Promise<boolean> {
    const { client, events } = this.#options
    const place = placeOf(entry)
    if (place === undefined) {
      if (entry.kind === 'refused')
        await events.record(entry.value.reference, [refusalEvent(entry.value.problems)])
      return true
    }
    const { kind: ofKind, namespace, name } = place
    const kind = watchedKindOf[ofKind]
    const version = this.#versions.get(kind.kind) ?? (await offeredVersion(client, kind))
    if (version === undefined) return true
    this.#versions.set(kind.kind, version)
    const path = `/apis/${apiVersionOf(kind, version)}/namespaces/${namespace}/${kind.plural}/${name}`
    const read = await client.request('GET', path)
    if (read.status === 404) {
      // The object is gone, or its version is.
      this.#versions.delete(kind.kind)
      return true
    }
    if (read.status !== 200) throw failureOf(read, `reading ${kind.kind} ${namespace}/${name}`)
    const object = read.body as Kept
    const status = this.#judge(entry, ofKind, object)
    if (status === undefined || isDeepStrictEqual(status, object.status)) return true
    return this.#write(path, object, status)
  }

  /** Undefined: a newer form than the one judged is on its way to us, and will be looked at then. */
  #judge(entry: Entry, kind: Subject['kind'], object: Kept): object | undefined {
    const { clock, model } = this.#options
    const seen: Observation = { generation: object.metadata?.generation ?? 0, now: apiTime(clock) }
    const converted = convertObject(object)
    if (converted.outcome === 'refused') return refusedStatus(kind, object, converted.problems, seen)
    if (converted.outcome !== 'converted' || entry.kind === 'refused') return undefined
    if (!isDeepStrictEqual(converted.change?.value, entry.value)) return undefined
    return mergedStatus(model, entry, object.status, seen)
  }

  async #write(path: string, object: Kept, status: object): Promise<boolean> {
    const { client, events, log } = this.#options
    const wrote = await client.request('PUT', `${path}/status`, { ...object, status })
    if (wrote.status === 409) return false
    if (wrote.status === 404) return true
    const reference = referenceOf(object)
    if (wrote.status === 200) {
      // From what stood there, whoever wrote it: neither a restart nor another leader says anything twice.
      await events.record(reference, statusEvents(object.status, status))
      return true
    }
    const { kind, namespace, name } = reference
    const failure = failureOf(wrote, `writing the status of ${kind} ${namespace}/${name}`)
    if (wrote.status !== 400 && wrote.status !== 422) throw failure
    // What the schema does not take today it does not take tomorrow.
    log.error(failureFields(failure), 'a status is refused')
    return true
  }
}

/** Keeps one kind as the API server has it: list, watch, and list anew when the watch cannot go on. */
import { Backoff } from '../../../core/backoff.ts'
import type { Clock } from '../../../core/clock.ts'
import { toWeftError, WeftError } from '../../../core/errors.ts'
import type { Log } from '../../../core/log.ts'
import type { OutageLog } from '../../../core/outage-log.ts'
import type { ApiReply, KubernetesClient } from '../../../core/kubernetes/api-client.ts'
import { failureOf } from '../../../core/kubernetes/api-failure.ts'
import type { Change } from '../../model/objects.ts'
import { offeredVersion } from './discovery.ts'
import { listPages, selectorsOf } from './list-pages.ts'
import { keyOfObject, ObjectStore, type Refusal } from './object-store.ts'
import { readWatchEvent, type WatchEvent } from './watch-event.ts'
import { pathOf, type WatchedKind } from './watched-kind.ts'

export type ReflectorOptions = {
  readonly kind: WatchedKind
  readonly client: KubernetesClient
  readonly clock: Clock
  readonly log: Log
  readonly outages: OutageLog
  readonly random?: () => number
  readonly onChanges: (changes: readonly Change[]) => void
  /** Called when an object's newest form is refused, and again when it is for another reason. */
  readonly onRefused: (refusal: Refusal) => void
  /** Called once: all there was at that moment has been handed out. */
  readonly onSynced: () => void
}

/** What to do after a step: wait for so long, which may be not at all. */
type Next = { readonly waitMs: number }
const atOnce: Next = { waitMs: 0 }

/** So short that a change is there within 5 s of the API server's coming back. */
const backoffMs = { baseMs: 200, maxMs: 2_000 }
/** On top of what a Retry-After asks for, so that not all kinds come back at once. */
const retryJitter = 0.25
/**
 * An API server that throttles raises what it asks for step by step, to half a minute: whoever waited so long would not be
 * up to date 5 s after. With the jitter this is half of that, which leaves as much for the API server and for all that follows.
 */
const longestRetryMs = 2_000
/** How soon a CustomResourceDefinition that appears is noticed. */
const absentPollMs = 5_000
/** Bookmarks come every minute: who says nothing for two is gone, whatever TCP thinks. */
const silentMs = 120_000
/** The server ends a watch after 5 to 10 minutes, so that replicas of it share the load. */
const watchSeconds = { least: 300, more: 300 }
/** A watch that ends sooner, with nothing said, is no watch. */
const shortWatchMs = 5_000
/** Lists that expire under way so often are asked for in one piece. */
const expiredListsBeforeWhole = 2

export class Reflector {
  readonly kind: WatchedKind
  readonly #options: ReflectorOptions
  readonly #store: ObjectStore
  readonly #backoff: Backoff
  readonly #random: () => number
  readonly #stopping = new AbortController()
  #version: string | undefined
  /** Where the watch goes on; undefined: everything has to be listed. */
  #heardMs: number | undefined
  #resourceVersion: string | undefined
  #expiredLists = 0
  #unreachable = false
  #synced = false
  #running: Promise<void> | undefined
  #wake: () => void = () => undefined

  constructor(options: ReflectorOptions) {
    this.#options = options
    this.kind = options.kind
    this.#random = options.random ?? Math.random
    this.#backoff = new Backoff({ ...backoffMs, random: this.#random })
    this.#store = new ObjectStore((refusal) => this.#reportRefusal(refusal))
  }

  get synced(): boolean {
    return this.#synced
  }

  get refused(): readonly Refusal[] {
    return this.#store.refused
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#wake()
    await this.#running
  }

  /** Since the API server last told of this kind, be it by a bookmark; undefined while it was not listed, or is unknown there. */
  get silentForMs(): number | undefined {
    return this.#heardMs === undefined ? undefined : this.#options.clock.monotonicMs() - this.#heardMs
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const { waitMs } = await this.#step()
      if (waitMs > 0 && !this.#stopping.signal.aborted) await this.#sleep(waitMs)
    }
  }

  #sleep(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(waitMs, resolve)
      this.#wake = () => {
        timer.cancel()
        resolve()
      }
    })
  }

  async #step(): Promise<Next> {
    try {
      this.#version ??= await offeredVersion(this.#options.client, this.kind)
      if (this.#version === undefined) return this.#absent()
      if (this.#resourceVersion === undefined) return await this.#list(this.#version)
      return await this.#watch(this.#version, this.#resourceVersion)
    } catch (error) {
      return this.#failed(error)
    }
  }

  /** No such kind: as if there were no objects of it. */
  #absent(): Next {
    this.#deliver(this.#store.keepOnly(new Set()))
    this.#works()
    return { waitMs: absentPollMs * (0.8 + 0.4 * this.#random()) }
  }

  async #list(version: string): Promise<Next> {
    const keys = new Set<string>()
    const listed = await listPages(this.#options.client, this.kind, version, {
      paged: this.#expiredLists < expiredListsBeforeWhole,
      onPage: (objects) => {
        for (const object of objects) keys.add(keyOfObject(object) ?? '')
        this.#deliver(objects.flatMap((object) => this.#store.put(object)))
      },
    })
    switch (listed.outcome) {
      case 'complete':
        this.#expiredLists = 0
        this.#heardMs = this.#options.clock.monotonicMs()
        this.#resourceVersion = listed.resourceVersion
        this.#deliver(this.#store.keepOnly(keys))
        this.#works()
        return atOnce
      case 'expired':
        this.#expiredLists++
        return { waitMs: this.#backoff.nextMs() }
      case 'failed':
        return this.#refusedBy(listed.reply, 'list')
    }
  }

  async #watch(version: string, from: string): Promise<Next> {
    const { client, clock } = this.#options
    const query = selectorsOf(this.kind)
    query.set('watch', '1')
    query.set('resourceVersion', from)
    query.set('allowWatchBookmarks', 'true')
    query.set('timeoutSeconds', String(Math.round(watchSeconds.least + watchSeconds.more * this.#random())))
    const begunMs = clock.monotonicMs()
    let trouble: Next | undefined
    const reply = await client.watch(`${pathOf(this.kind, version)}?${query.toString()}`, {
      signal: this.#stopping.signal,
      idleMs: silentMs,
      onEvent: (line) => {
        // What follows an error in the same stream cannot be built upon.
        trouble ??= this.#take(readWatchEvent(line))
      },
    })
    if (reply !== undefined) return this.#refusedBy(reply, 'watch')
    if (trouble !== undefined) return trouble
    const short = clock.monotonicMs() - begunMs < shortWatchMs && this.#resourceVersion === from
    return short ? { waitMs: this.#backoff.nextMs() } : atOnce
  }

  /** Gives what is to be done when the stream cannot go on. */
  #take(event: WatchEvent): Next | undefined {
    switch (event.kind) {
      case 'put':
        this.#deliver(this.#store.put(event.object))
        break
      case 'remove':
        this.#deliver(this.#store.remove(keyOfObject(event.object) ?? ''))
        break
      case 'bookmark':
        break
      case 'expired':
        return this.#expired()
      case 'failed':
        return this.#failed(
          new WeftError('KUBERNETES_FAILED', `watching ${this.kind.plural}: ${event.reason}`),
          event.retryAfterMs,
        )
    }
    this.#heardMs = this.#options.clock.monotonicMs()
    this.#resourceVersion = event.resourceVersion
    this.#backoff.reset()
    this.#options.outages.over(this.kind.plural)
    return undefined
  }

  /** Only a list tells what went in the time that is compacted away. */
  #expired(): Next {
    this.#options.log.info({ kind: this.kind.kind }, 'the watch expired; everything is listed anew')
    this.#resourceVersion = undefined
    return { waitMs: this.#backoff.nextMs() }
  }

  #refusedBy(reply: ApiReply, what: 'list' | 'watch'): Next {
    this.#answered()
    if (reply.status === 410) return this.#expired()
    const error = failureOf(reply, `${what} ${this.kind.plural}`)
    if (reply.status === 404 && !this.kind.builtIn) {
      this.#version = undefined
      this.#resourceVersion = undefined
      return { waitMs: this.#backoff.nextMs() }
    }
    return this.#failed(error, reply.retryAfterMs)
  }

  #failed(error: unknown, retryAfterMs = 0): Next {
    if (!this.#stopping.signal.aborted)
      this.#options.outages.failed(this.kind.plural, error, { kind: this.kind.kind })
    if (toWeftError(error).code === 'KUBERNETES_UNREACHABLE') this.#unreachable = true
    else this.#answered()
    return retryAfterMs > 0
      ? { waitMs: Math.min(retryAfterMs, longestRetryMs) * (1 + retryJitter * this.#random()) }
      : { waitMs: this.#backoff.nextMs() }
  }

  /** An API server that is back is starting: what it refuses now, it serves in a moment. */
  #answered(): void {
    if (this.#unreachable) this.#backoff.reset()
    this.#unreachable = false
  }

  #works(): void {
    this.#options.outages.over(this.kind.plural)
    if (this.#synced) return
    this.#synced = true
    this.#options.onSynced()
  }

  #deliver(changes: readonly Change[]): void {
    if (changes.length > 0) this.#options.onChanges(changes)
  }

  #reportRefusal(refusal: Refusal): void {
    const { object, problems } = refusal
    this.#options.log.error(
      { code: 'RESOURCE_INVALID', object, problems },
      'an object is refused; its last good form stays',
    )
    this.#options.onRefused(refusal)
  }
}

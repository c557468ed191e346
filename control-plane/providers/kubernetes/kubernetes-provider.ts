/** A cluster's API server as the source of the mesh: every kind listed once, then watched. */
import type { Clock } from '../../../core/clock.ts'
import type { Log } from '../../../core/log.ts'
import { OutageLog } from '../../../core/outage-log.ts'
import type { KubernetesClient } from '../../../core/kubernetes/api-client.ts'
import type { Change } from '../../model/objects.ts'
import type { Provider, Refused } from '../provider.ts'
import type { Refusal } from './object-store.ts'
import { Reflector } from './reflector.ts'
import type { WatchedKind } from './watched-kind.ts'
import { watchedKinds } from './watched-kinds.ts'

export type KubernetesProviderOptions = {
  readonly client: KubernetesClient
  readonly clock: Clock
  readonly log: Log
  readonly kinds?: readonly WatchedKind[]
  readonly random?: () => number
  /** Called once with everything, when every kind is there, then with what each event changes. */
  readonly onChanges: (changes: readonly Change[]) => void
  /** Called for each object whose newest form is refused. */
  readonly onRefused: (refusal: Refusal) => void
}

export class KubernetesProvider implements Provider {
  readonly #options: KubernetesProviderOptions
  readonly #reflectors: readonly Reflector[]
  readonly #started = Promise.withResolvers<void>()
  /** What came before everything was there; undefined afterwards. */
  #held: Change[] | undefined = []

  constructor(options: KubernetesProviderOptions) {
    this.#options = options
    const { kinds = watchedKinds, random, client, clock, log, onRefused } = options
    const outages = new OutageLog(log)
    this.#reflectors = kinds.map(
      (kind) =>
        new Reflector({
          kind,
          client,
          clock,
          log,
          outages,
          ...(random === undefined ? {} : { random }),
          onChanges: (changes) => this.#changed(changes),
          onRefused,
          onSynced: () => this.#synced(),
        }),
    )
  }

  /** Resolves when every kind is there: however long that takes, an answer before would take working routes away. */
  start(): Promise<void> {
    for (const reflector of this.#reflectors) reflector.start()
    return this.#started.promise
  }

  async stop(): Promise<void> {
    await Promise.all(this.#reflectors.map((reflector) => reflector.stop()))
    this.#options.client.close()
  }

  /** Kinds that have not been listed yet. */
  get missing(): readonly string[] {
    return this.#reflectors.filter(({ synced }) => !synced).map(({ kind }) => kind.plural)
  }

  /** Objects whose newest form is refused. */
  get refused(): readonly Refused[] {
    return this.refusals.map(({ object, problems }) => ({ object, problems }))
  }

  get refusals(): readonly Refusal[] {
    return this.#reflectors.flatMap(({ refused }) => refused)
  }

  get watchSilenceMs(): ReadonlyMap<string, number> {
    const known = this.#reflectors.flatMap(({ kind, silentForMs }) =>
      silentForMs === undefined ? [] : [[kind.plural, silentForMs] as const],
    )
    return new Map(known)
  }

  #changed(changes: readonly Change[]): void {
    if (this.#held === undefined) this.#options.onChanges(changes)
    else for (const change of changes) this.#held.push(change)
  }

  #synced(): void {
    if (this.#held === undefined || this.missing.length > 0) return
    const everything = this.#held
    this.#held = undefined
    this.#options.onChanges(everything)
    this.#started.resolve()
  }
}

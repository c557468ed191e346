/** Takes the control plane's watches, the only ones that there are, and sends what they see. */
import type { Messages } from '../../api/xds/messages.ts'
import { tapService } from '../../api/xds/services.ts'
import type { Timer } from '../../core/clock.ts'
import type { Tap, TapWatch } from '../telemetry/tap.ts'
import type { CompanionParts } from './companion.ts'
import { CompanionStream } from './companion-stream.ts'

type Report = Messages['weft.tap.v1alpha1.TapReport']
type Command = Messages['weft.tap.v1alpha1.TapCommand']

export type TapClientOptions = CompanionParts & { readonly tap: Tap }

const sendEveryMs = 200
/** Each is asked about every exchange. */
const maxWatches = 64

export class TapClient {
  readonly #options: TapClientOptions
  readonly stream: CompanionStream<Report, Command>
  #timer: Timer | undefined

  constructor(options: TapClientOptions) {
    this.#options = options
    const { clock, log, node } = options
    this.stream = new CompanionStream({
      method: tapService.Watch,
      what: 'taps',
      clock,
      log,
      onOpen: () => this.stream.write({ node: node() }),
      onMessage: ({ watches = [] }) => this.#watch(watches.slice(0, maxWatches).map(watchOf)),
      // Nobody looks any more.
      onClose: () => this.#watch([]),
    })
  }

  #watch(watches: readonly TapWatch[]): void {
    this.#options.tap.set(watches)
    this.#timer?.cancel()
    if (watches.length > 0) this.#schedule()
  }

  #schedule(): void {
    this.#timer = this.#options.clock.after(sendEveryMs, () => {
      const { exchanges, dropped } = this.#options.tap.take()
      if (exchanges.length > 0 || dropped > 0) this.stream.write({ exchanges, dropped })
      this.#schedule()
    })
  }
}

function watchOf({ id = 0, filter = {} }: Messages['weft.tap.v1alpha1.Watch']): TapWatch {
  return {
    id,
    direction: filter.direction ?? '',
    method: filter.method ?? '',
    pathPrefix: filter.pathPrefix ?? '',
    leastStatus: filter.leastStatus ?? 0,
    mostStatus: filter.mostStatus ?? 0,
    grpcStatus: filter.grpcStatus ?? '',
    leastLatencyMs: filter.leastLatencyMs ?? 0,
    peer: filter.peer ?? '',
  }
}

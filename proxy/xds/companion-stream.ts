/** A stream of reports on the channel of the configuration: opened again while the channel stands. */
import * as grpc from '@grpc/grpc-js'
import type { Clock, Timer } from '../../core/clock.ts'
import { reasonOf } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { Companion } from './companion.ts'

type Method<Q, R> = Pick<grpc.MethodDefinition<Q, R>, 'path' | 'requestSerialize' | 'responseDeserialize'>

export type CompanionStreamOptions<Q, R> = {
  readonly method: Method<Q, R>
  /** For the log. */
  readonly what: string
  readonly clock: Clock
  readonly log: Log
  readonly onOpen: () => void
  readonly onMessage: (message: R) => void
  readonly onClose: () => void
}

const againMs = 5_000

export class CompanionStream<Q, R> implements Companion {
  readonly #options: CompanionStreamOptions<Q, R>
  #stream: grpc.ClientDuplexStream<Q, R> | undefined
  #again: Timer | undefined

  constructor(options: CompanionStreamOptions<Q, R>) {
    this.#options = options
  }

  open(client: grpc.Client, metadata: grpc.Metadata): void {
    this.close()
    const { path, requestSerialize, responseDeserialize } = this.#options.method
    const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata)
    this.#stream = stream
    stream.on('data', (message: R) => {
      if (stream === this.#stream) this.#options.onMessage(message)
    })
    const lost = (error?: unknown): void => {
      if (stream === this.#stream) this.#lost(client, metadata, error)
    }
    stream.on('end', () => lost())
    stream.on('error', lost)
    this.#options.onOpen()
  }

  close(): void {
    this.#again?.cancel()
    const stream = this.#stream
    if (stream === undefined) return
    this.#stream = undefined
    stream.cancel()
    this.#options.onClose()
  }

  write(message: Q): void {
    this.#stream?.write(message)
  }

  /** A control plane that does not know of the service is left alone until the next connection. */
  #lost(client: grpc.Client, metadata: grpc.Metadata, error: unknown): void {
    this.close()
    if ((error as { readonly code?: unknown } | undefined)?.code === grpc.status.UNIMPLEMENTED) return
    const { clock, log, what } = this.#options
    log.debug({ reason: reasonOf(error) }, `the stream of ${what} broke off`)
    this.#again = clock.after(againMs, () => this.open(client, metadata))
  }
}

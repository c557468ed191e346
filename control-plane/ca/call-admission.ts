/**
 * Who may call at all, decided before a byte of a message is read: every call of the gRPC port proves who makes it. From
 * where that fails again and again only a few tokens are judged at a time. Handlers find the caller by the call's metadata.
 */
import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServerListener,
  status,
} from '@grpc/grpc-js'
import type { Clock } from '../../core/clock.ts'
import { failureFields } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { Authenticator } from './authenticator.ts'
import { authenticateCall, type OpaqueStatus, opaqueStatus, rememberCaller } from './call-authentication.ts'
import { TokenBuckets } from './token-bucket.ts'

/** A node's worth of pods with a wrong token, each trying again as sidecars do. */
const FAILURES_BURST = 200
const FAILURES_PER_MINUTE = 120
/** Tokens that are being checked; each is a call of ours to the API server, and 8 KiB at most. */
const MOST_PENDING = 4_096
/** Of those, from machines where most fail: others on such a machine still come through, and the API server is spared. */
const MOST_DOUBTFUL = 8

export type CallAdmissionOptions = {
  readonly authenticator: Authenticator
  readonly clock: Clock
  readonly log: Log
  /** Told of the peer of each call that is admitted. */
  readonly onAdmitted: (peer: string) => void
  readonly failuresBurst?: number
}

const tooMany = { code: status.RESOURCE_EXHAUSTED, details: 'too many calls' }

export class CallAdmission {
  readonly #options: CallAdmissionOptions
  readonly #failures: TokenBuckets
  #pending = 0
  #doubtful = 0

  constructor(options: CallAdmissionOptions) {
    this.#options = options
    this.#failures = new TokenBuckets({
      clock: options.clock,
      burst: options.failuresBurst ?? FAILURES_BURST,
      perMinute: FAILURES_PER_MINUTE,
    })
  }

  /** For the server's options. */
  readonly interceptor: ServerInterceptor = (_method, call) => {
    const peer = call.getPeer()
    const machine = peer.replace(/:\d+$/, '')
    let gone = false
    const judge = async (metadata: Metadata, next: (metadata: Metadata) => void): Promise<void> => {
      const refusal = await this.#admit(metadata, peer, machine)
      if (refusal === undefined) next(metadata)
      else if (!gone) call.sendStatus(refusal)
    }
    const listener: ServerListener = {
      onReceiveMetadata: (metadata, next) => void judge(metadata, next),
      onCancel: () => {
        gone = true
      },
    }
    return new ServerInterceptingCall(call, { start: (next) => next(listener) })
  }

  /** undefined: it may go on. */
  async #admit(metadata: Metadata, peer: string, machine: string): Promise<OpaqueStatus | undefined> {
    const { authenticator, log, onAdmitted } = this.#options
    const doubtful = Number(!this.#failures.has(machine))
    const isFull = this.#pending >= MOST_PENDING || (doubtful === 1 && this.#doubtful >= MOST_DOUBTFUL)
    if (isFull) return tooMany
    this.#pending++
    this.#doubtful += doubtful
    try {
      rememberCaller(metadata, await authenticateCall(metadata, authenticator))
      onAdmitted(peer)
      return undefined
    } catch (error) {
      this.#failures.take(machine)
      log.warn({ ...failureFields(error), peer }, 'a call is refused')
      return opaqueStatus(error)
    } finally {
      this.#pending--
      this.#doubtful -= doubtful
    }
  }
}

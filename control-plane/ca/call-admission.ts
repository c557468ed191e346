/**
 * Who may call at all, decided before a byte of a message is read: every call of the gRPC port proves who makes it, by a
 * certificate of the mesh or by a token. From where that fails again and again only a few tokens are judged at a time.
 * Handlers find the caller by the call's metadata.
 */
import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServerListener,
  status,
} from '@grpc/grpc-js'
import type { Clock } from '../../core/clock.ts'
import { failureFields, WeftError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { Authenticator, WorkloadIdentity } from './authenticator.ts'
import {
  authenticateToken,
  type Caller,
  type OpaqueStatus,
  opaqueStatus,
  rememberCaller,
} from './call-authentication.ts'
import { TokenBuckets } from './token-bucket.ts'

/** A node's worth of pods with a wrong token, each trying again as sidecars do. */
const FAILURES_BURST = 200
const FAILURES_PER_MINUTE = 120
/** Tokens that are being checked; each is a call of ours to the API server, and 8 KiB at most. */
const MOST_PENDING = 4_096
/** An API server that does not answer keeps nobody waiting whose certificate counts. */
const TOKEN_PATIENCE_MS = 3_000
/** Of those, from machines where most fail: others on such a machine still come through, and the API server is spared. */
const MOST_DOUBTFUL = 8

/** Who a peer (`address:port`) is by the certificate that it has shown; undefined: it has shown none. Throws WeftError. */
export interface CertificateSource {
  identityOf(peer: string): WorkloadIdentity | undefined
}

export type CallAdmissionOptions = {
  readonly authenticator: Authenticator
  readonly certificates: CertificateSource
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
    const { log, onAdmitted } = this.#options
    const doubtful = Number(!this.#failures.has(machine))
    const isFull = this.#pending >= MOST_PENDING || (doubtful === 1 && this.#doubtful >= MOST_DOUBTFUL)
    if (isFull) return tooMany
    this.#pending++
    this.#doubtful += doubtful
    try {
      rememberCaller(metadata, await this.#callerOf(metadata, peer))
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

  /** Either proof is enough. Two that count have to name one workload; the token knows the pod, too. */
  async #callerOf(metadata: Metadata, peer: string): Promise<Caller> {
    const { authenticator, clock, log } = this.#options
    const hasToken = metadata.get('authorization').length > 0
    const certified = this.#certified(peer, hasToken)
    if (certified === undefined)
      return { identity: await authenticateToken(metadata, authenticator), byToken: true }
    const byCertificate = { identity: certified, byToken: false }
    if (!hasToken) return byCertificate
    let identity: WorkloadIdentity
    try {
      identity = await within(TOKEN_PATIENCE_MS, authenticateToken(metadata, authenticator), clock)
    } catch (error) {
      // The API server may be away, or the token over while the certificate is not.
      log.debug({ ...failureFields(error), peer }, 'a token does not count; the certificate does')
      return byCertificate
    }
    const { namespace, serviceAccount } = certified
    if (identity.namespace === namespace && identity.serviceAccount === serviceAccount)
      return { identity, byToken: true }
    throw new WeftError(
      'TOKEN_MISMATCH',
      `the certificate is of ${namespace}/${serviceAccount}, the token of ${identity.namespace}/${identity.serviceAccount}`,
    )
  }

  /** A certificate that does not count, as one that has ended, does not keep out who has a token. */
  #certified(peer: string, hasToken: boolean): WorkloadIdentity | undefined {
    const { certificates, log } = this.#options
    try {
      return certificates.identityOf(peer)
    } catch (error) {
      if (!hasToken) throw error
      log.debug({ ...failureFields(error), peer }, 'a certificate does not count')
      return undefined
    }
  }
}

function within<T>(timeoutMs: number, answer: Promise<T>, clock: Clock): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new WeftError('KUBERNETES_UNREACHABLE', `no answer in ${timeoutMs} ms`))
    const timer = clock.after(timeoutMs, late)
    void answer.then(resolve, reject).finally(() => timer.cancel())
  })
}

/** The CA over gRPC: istio.v1.auth.IstioCertificateService, so that clients of other meshes' CAs fit too. */
import type { ServerUnaryCall, handleUnaryCall, sendUnaryData } from '@grpc/grpc-js'
import { formatSpiffeId } from '../../api/spiffe.ts'
import type { Messages } from '../../api/xds/codec.ts'
import { failureFields, toWeftError, WeftError } from '../../core/errors.ts'
import type { Clock } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'
import type { Authenticator } from './authenticator.ts'
import type { CaStats } from './ca-metrics.ts'
import { authenticateToken, opaqueStatus } from './call-authentication.ts'
import type { CertificateAuthority } from './certificate-authority.ts'
import { TokenBuckets } from './token-bucket.ts'

/** A sidecar asks twice a day, and after a new root once more; many pods of one service account may start at once. */
const BURST_PER_IDENTITY = 2_000
const PER_MINUTE_PER_IDENTITY = 300

type CertificateRequest = Messages['istio.v1.auth.IstioCertificateRequest']
type CertificateResponse = Messages['istio.v1.auth.IstioCertificateResponse']

export type CertificateServiceOptions = {
  readonly authority: CertificateAuthority
  readonly authenticator: Authenticator
  readonly trustDomain: string
  readonly clock: Clock
  readonly log: Log
  /** False: workloads get their certificates from somebody else. */
  readonly issues?: () => boolean
  readonly stats?: CaStats
  readonly burst?: number
  readonly perMinute?: number
}

export type CertificateHandlers = {
  readonly CreateCertificate: handleUnaryCall<CertificateRequest, CertificateResponse>
}

/** Handlers of `certificateService`: one audit line for every certificate, one warning for every refusal. */
export function certificateHandlers(options: CertificateServiceOptions): CertificateHandlers {
  const buckets = new TokenBuckets({
    clock: options.clock,
    burst: options.burst ?? BURST_PER_IDENTITY,
    perMinute: options.perMinute ?? PER_MINUTE_PER_IDENTITY,
  })
  return { CreateCertificate: (call, callback) => void answer(call, callback, options, buckets) }
}

type Call = ServerUnaryCall<CertificateRequest, CertificateResponse>

async function answer(
  call: Call,
  callback: sendUnaryData<CertificateResponse>,
  options: CertificateServiceOptions,
  buckets: TokenBuckets,
): Promise<void> {
  let response: CertificateResponse
  try {
    response = await issueFor(call, options, buckets)
    options.stats?.count('issued')
  } catch (error) {
    options.stats?.count(toWeftError(error).code)
    options.log.warn({ ...failureFields(error), peer: call.getPeer() }, 'a certificate is refused')
    callback(opaqueStatus(error))
    return
  }
  callback(null, response)
}

async function issueFor(
  call: Call,
  { authority, authenticator, trustDomain, log, issues }: CertificateServiceOptions,
  buckets: TokenBuckets,
): Promise<CertificateResponse> {
  // A certificate is not to be renewed for ever by who has stolen its key: that the workload is still there, its token says.
  const workload = await authenticateToken(call.metadata, authenticator)
  if (issues?.() === false)
    throw new WeftError('CA_EXTERNAL', 'the workloads of this mesh are certified by another CA')
  const identity = formatSpiffeId({ trustDomain, ...workload })
  if (!buckets.take(identity)) throw new WeftError('RATE_LIMITED_CA', `${identity} asks too often`)
  const { csr = '', validityDuration = 0 } = call.request
  const issued = authority.issue(csr, identity, validityDuration * 1000)
  const notAfter = new Date(issued.notAfterMs).toISOString()
  log.info(
    { audit: 'certificate', identity, serial: issued.serial, notAfter, peer: call.getPeer() },
    'issued',
  )
  return { certChain: [...issued.chainPem] }
}

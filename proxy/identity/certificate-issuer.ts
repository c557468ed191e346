/** Asks the control plane's CA for a certificate, over gRPC. */
import { readFile } from 'node:fs/promises'
import { Client, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { certificateService } from '../../api/xds/services.ts'
import type { Address } from '../../core/address.ts'
import { type ErrorCode, WeftError, reasonOf } from '../../core/errors.ts'
import { controlPlaneChannel } from './control-plane-channel.ts'
import { parseTrustBundle } from './trust-bundle.ts'

/** Gives a chain of PEM certificates, leaf first, for a certificate request. */
export interface CertificateIssuer {
  issue(csrPem: string): Promise<readonly string[]>
}

export type GrpcCertificateIssuerOptions = {
  readonly controlPlane: Address
  /** Roots that the control plane's server certificate is verified against; read anew at each enrolment. */
  readonly controlPlaneCaFile: string
  /** Read anew at each enrolment, as Kubernetes replaces it every hour. */
  readonly tokenFile: string
  /** What to ask for; 0 or absent: what the CA gives by itself. */
  readonly lifetimeMs?: number
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 10_000
/** What the log shows as the reason, by gRPC status; all else is ENROLMENT_FAILED. */
const CODES: ReadonlyMap<number, ErrorCode> = new Map([
  [status.UNAVAILABLE, 'CONTROL_PLANE_UNREACHABLE'],
  [status.DEADLINE_EXCEEDED, 'CONTROL_PLANE_UNREACHABLE'],
  [status.UNAUTHENTICATED, 'CONTROL_PLANE_REFUSED'],
  [status.PERMISSION_DENIED, 'CONTROL_PLANE_REFUSED'],
  [status.INVALID_ARGUMENT, 'CONTROL_PLANE_REFUSED'],
])

/** The CA of the control plane. Each enrolment has a connection of its own: there are two a day. */
export class GrpcCertificateIssuer implements CertificateIssuer {
  readonly #options: GrpcCertificateIssuerOptions

  constructor(options: GrpcCertificateIssuerOptions) {
    this.#options = options
  }

  /**
   * Rejects with TOKEN_FILE_UNREADABLE, TOKEN_MALFORMED, FILE_UNREADABLE, CERTIFICATE_INVALID,
   * CONTROL_PLANE_UNREACHABLE, CONTROL_PLANE_REFUSED or ENROLMENT_FAILED.
   */
  async issue(csrPem: string): Promise<readonly string[]> {
    const { controlPlane, controlPlaneCaFile, lifetimeMs = 0 } = this.#options
    const token = await readToken(this.#options.tokenFile)
    const roots = await readRoots(controlPlaneCaFile)
    const metadata = new Metadata()
    metadata.set('authorization', `Bearer ${token}`)
    const channel = controlPlaneChannel(controlPlane, roots)
    const client = new Client(channel.target, channel.credentials, channel.options)
    try {
      const request = { csr: csrPem, validityDuration: Math.ceil(lifetimeMs / 1000) }
      const response = await this.#call(client, request, metadata)
      return response.certChain ?? []
    } catch (error) {
      throw failureOf(error as ServiceError, channel.target)
    } finally {
      client.close()
    }
  }

  #call(
    client: Client,
    request: { readonly csr: string; readonly validityDuration: number },
    metadata: Metadata,
  ): Promise<{ readonly certChain?: readonly string[] | undefined }> {
    const { path, requestSerialize, responseDeserialize } = certificateService.CreateCertificate
    const deadline = Date.now() + (this.#options.timeoutMs ?? TIMEOUT_MS)
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadata,
        { deadline },
        (error, response) => {
          if (error !== null) reject(error)
          else resolve(response ?? {})
        },
      )
    })
  }
}

function failureOf(error: ServiceError, target: string): WeftError {
  const code = CODES.get(error.code) ?? 'ENROLMENT_FAILED'
  const reason = `${status[error.code] ?? error.name}: ${error.details ?? error.message}`
  return new WeftError(code, `${target}: ${reason}`, { cause: error })
}

async function readToken(file: string): Promise<string> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new WeftError('TOKEN_FILE_UNREADABLE', reasonOf(error), { cause: error })
  }
  const token = text.trim()
  if (token === '' || /\s/.test(token))
    throw new WeftError('TOKEN_MALFORMED', `${file} does not hold one token`)
  return token
}

async function readRoots(file: string): Promise<Buffer> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new WeftError('FILE_UNREADABLE', reasonOf(error), { cause: error })
  }
  // The gRPC library would throw what no one could make sense of.
  return Buffer.from(parseTrustBundle(text).pem)
}

/** Asks the control plane's CA for a certificate, over gRPC. */
import type { Buffer } from 'node:buffer'
import { Client, Metadata } from '@grpc/grpc-js'
import { certificateService } from '../../api/xds/services.ts'
import type { Address } from '../../core/address.ts'
import { controlPlaneChannel } from './control-plane-channel.ts'
import { controlPlaneFailure } from './control-plane-failure.ts'
import { readToken } from './control-plane-files.ts'

/** Gives a chain of PEM certificates, leaf first, for a certificate request. */
export interface CertificateIssuer {
  issue(csrPem: string): Promise<readonly string[]>
}

export type GrpcCertificateIssuerOptions = {
  readonly controlPlane: Address
  /** Roots, PEM, that its server certificate is verified against; asked anew at each enrolment, and may throw. */
  readonly roots: () => Buffer
  /** Read anew at each enrolment, as Kubernetes replaces it every hour. */
  readonly tokenFile: string
  /** What to ask for; 0 or absent: what the CA gives by itself. */
  readonly lifetimeMs?: number
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 10_000
/** The CA of the control plane. Each enrolment has a connection of its own: there are two a day. */
export class GrpcCertificateIssuer implements CertificateIssuer {
  readonly #options: GrpcCertificateIssuerOptions

  constructor(options: GrpcCertificateIssuerOptions) {
    this.#options = options
  }

  /**
   * Rejects with TOKEN_FILE_UNREADABLE, TOKEN_MALFORMED, FILE_UNREADABLE, CERTIFICATE_INVALID,
   * CONTROL_PLANE_UNREACHABLE, CONTROL_PLANE_UNTRUSTED, CONTROL_PLANE_REFUSED or ENROLMENT_FAILED.
   */
  async issue(csrPem: string): Promise<readonly string[]> {
    const { controlPlane, lifetimeMs = 0 } = this.#options
    const token = readToken(this.#options.tokenFile)
    const roots = this.#options.roots()
    const metadata = new Metadata()
    metadata.set('authorization', `Bearer ${token}`)
    const channel = controlPlaneChannel(controlPlane, roots)
    const client = new Client(channel.target, channel.credentials, channel.options)
    try {
      const request = { csr: csrPem, validityDuration: Math.ceil(lifetimeMs / 1000) }
      const response = await this.#call(client, request, metadata)
      return response.certChain ?? []
    } catch (error) {
      throw controlPlaneFailure(error, channel.target, 'ENROLMENT_FAILED')
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

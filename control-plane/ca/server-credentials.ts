/**
 * What the gRPC server shows, and what it verifies clients' certificates against where they show one; both replaced while
 * it runs. The library's own credentials either ask nobody for a certificate or turn away whoever has none.
 */
import { ServerCredentials } from '@grpc/grpc-js'

export type ServerMaterial = {
  readonly certificatePem: string
  readonly keyPem: string
  /** Roots of clients' certificates, PEM. */
  readonly clientRootsPem: string
}

export class MeshServerCredentials extends ServerCredentials {
  constructor() {
    super({ requestCert: true, rejectUnauthorized: false })
  }

  /** For whoever connects from now on. */
  use({ certificatePem: cert, keyPem: key, clientRootsPem: ca }: ServerMaterial): void {
    this.updateSecureContextOptions({ cert, key, ca })
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other
  }
}

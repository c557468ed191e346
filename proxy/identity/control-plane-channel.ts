/** How a gRPC client reaches the control plane and knows that it is the right one. */
import { Buffer } from 'node:buffer'
import { isIP } from 'node:net'
import { type PeerCertificate, checkServerIdentity } from 'node:tls'
import { type ChannelCredentials, type ClientOptions, credentials } from '@grpc/grpc-js'
import { type Address, formatAddress } from '../../core/address.ts'

export type ControlPlaneChannel = {
  readonly target: string
  readonly credentials: ChannelCredentials
  readonly options: ClientOptions
}

/** Sent as the server's name where the address is an IP address, which TLS does not allow as a name. */
const NAME_FOR_IP_ADDRESSES = 'weft-control-plane'

/** Our own certificate, shown to whoever asks for one. */
export type OwnCertificate = { readonly keyPem: string; readonly certificatePem: string }

/** Target, credentials and options for `new Client(...)`: TLS, with the server verified against the given roots. */
export function controlPlaneChannel(
  address: Address,
  rootsPem: Buffer,
  own?: OwnCertificate,
): ControlPlaneChannel {
  const target = formatAddress(address)
  const key = own === undefined ? null : Buffer.from(own.keyPem)
  const chain = own === undefined ? null : Buffer.from(own.certificatePem)
  // Sidecars talk to their control plane directly; an http_proxy in the environment is meant for the application.
  const direct = { 'grpc.enable_http_proxy': 0 }
  if (isIP(address.host) === 0) {
    return { target, credentials: credentials.createSsl(rootsPem, key, chain), options: direct }
  }
  // The certificate must name the IP address all the same, whatever name was sent.
  const verify = (_name: string, certificate: PeerCertificate): Error | undefined =>
    checkServerIdentity(address.host, certificate)
  return {
    target,
    credentials: credentials.createSsl(rootsPem, key, chain, { checkServerIdentity: verify }),
    options: { ...direct, 'grpc.ssl_target_name_override': NAME_FOR_IP_ADDRESSES },
  }
}

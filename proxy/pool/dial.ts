/** Opens connections to endpoints: in clear or over mesh TLS, within the connect timeout. */
import type { TLSSocket } from 'node:tls'
import type { Clock } from '../../core/clock.ts'
import { reasonOf } from '../../core/errors.ts'
import { Wire } from '../listen/wire.ts'
import { UpstreamFailure } from '../upstream-failure.ts'

/** Dials mesh TLS; resolves when the peer has proven to be `expectedIdentity`. Rejects with WeftError. */
export type MeshDial = (target: {
  readonly host: string
  readonly port: number
  readonly alpn: string
  readonly expectedIdentity: string | undefined
  readonly timeoutMs: number
  readonly cluster: string
  /** Told when the handshake begins. */
  readonly onConnected?: (() => void) | undefined
}) => Promise<TLSSocket>

/**
 * Resolves with a connected wire; `from` is the address of this machine to connect from. Rejects with UpstreamFailure
 * 'connect' or 'connect-timeout'.
 */
export function dialPlain(
  host: string,
  port: number,
  timeoutMs: number,
  clock: Clock,
  from?: string,
): Promise<Wire> {
  return new Promise((resolve, reject) => {
    const onConnect = (): void => {
      timer.cancel()
      resolve(wire)
    }
    const wire = Wire.connect(host, port, onConnect, from)
    const timer = clock.deadline(timeoutMs, () => {
      reject(new UpstreamFailure('connect-timeout', `${host}:${port} did not accept within ${timeoutMs} ms`))
      wire.destroy()
    })
    wire.readInto({
      onBytes: () => wire.destroy(),
      onEnd: () => wire.destroy(),
      onDrain: () => undefined,
      onClose: (error) => {
        timer.cancel()
        const reason = error === undefined ? '' : `: ${error.message}`
        reject(new UpstreamFailure('connect', `${host}:${port} cannot be reached${reason}`, {}, error))
      },
    })
  })
}

/** As `dialPlain`, over mesh TLS. A peer that is not who it should be is a 'tls' failure: nothing was sent to it. */
export async function dialMesh(dial: MeshDial, target: Parameters<MeshDial>[0]): Promise<Wire> {
  try {
    return Wire.over(await dial(target))
  } catch (error) {
    throw new UpstreamFailure('tls', reasonOf(error), {}, error)
  }
}

/** Dials the addresses of one endpoint until one of them accepts. Rejects as the last one did. */
export async function dialInTurn<T>(
  addresses: readonly T[],
  dial: (address: T) => Promise<Wire>,
): Promise<Wire> {
  for (const address of addresses.slice(0, -1)) {
    try {
      return await dial(address)
    } catch {
      // The next one tells what is wrong, if anything is.
    }
  }
  return dial(addresses.at(-1) as T)
}

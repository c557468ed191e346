/** Accepts connections on one address; each becomes a Wire. */
import net from 'node:net'
import { formatAddress } from '../../core/address.ts'
import { reasonOf, systemCodeOf, WeftError } from '../../core/errors.ts'
import { keepAliveProbeMs } from '../../core/keep-alive.ts'
import type { ConnectionLimit } from './connection-limit.ts'
import { Wire } from './wire.ts'

export type Accepted = {
  readonly wire: Wire
  readonly peerAddress: string
  readonly peerPort: number
  /** The accepted descriptor, for SO_ORIGINAL_DST; -1 when the platform does not tell. */
  readonly fd: number
}

/** What a listener counts of its connections. */
export type ConnectionCounts = { opened: number; closed: number }

const backlog = 4096
/** How an IPv4 address looks on a listener that takes both families. */
const mapped = '::ffff:'
/** A machine without IPv6. */
const noIpv6 = ['EAFNOSUPPORT', 'EADDRNOTAVAIL']

function descriptor(socket: net.Socket): number {
  return (socket as net.Socket & { _handle: { fd?: number } | null })._handle?.fd ?? -1
}

export class Listener {
  readonly #server: net.Server
  readonly #onError: (error: Error) => void

  constructor(
    limit: ConnectionLimit,
    counts: ConnectionCounts,
    onAccept: (accepted: Accepted) => void,
    onError: (error: Error) => void,
  ) {
    const onClose = (): void => {
      limit.release()
      counts.closed++
    }
    this.#server = net.createServer(
      {
        allowHalfOpen: true,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: keepAliveProbeMs,
      },
      (socket) => {
        // One too many: closing it costs less than anything that could be said to it.
        if (!limit.take()) {
          socket.destroy()
          return
        }
        counts.opened++
        const fd = descriptor(socket)
        const { remoteAddress = '', remotePort = 0 } = socket
        const wire = Wire.over(socket)
        // Also when TLS has taken the socket over: it closes what is below it.
        wire.socket.once('close', onClose)
        const peerAddress = remoteAddress.startsWith(mapped)
          ? remoteAddress.slice(mapped.length)
          : remoteAddress
        onAccept({ wire, peerAddress, peerPort: remotePort, fd })
      },
    )
    this.#onError = onError
  }

  /**
   * Binds; resolves with the port in use. `::` stands for all addresses, those of IPv4 included, and on a machine
   * without IPv6 for those alone. Rejects with PORT_IN_USE or LISTEN_FAILED.
   */
  async listen(host: string, port: number): Promise<number> {
    try {
      return await this.#bind(host, port)
    } catch (error) {
      if (host !== '::' || !(error instanceof WeftError)) throw error
      if (!noIpv6.includes(systemCodeOf(error.cause) ?? '')) throw error
      return this.#bind('0.0.0.0', port)
    }
  }

  #bind(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const refuse = (error: Error): void => reject(listenFailure(error, host, port))
      this.#server.once('error', refuse)
      this.#server.listen({ host, port, backlog }, () => {
        this.#server.on('error', this.#onError)
        this.#server.off('error', refuse)
        resolve((this.#server.address() as net.AddressInfo).port)
      })
    })
  }

  /** Accepts no more; what was accepted goes on. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
    })
  }
}

function listenFailure(error: Error, host: string, port: number): WeftError {
  const address = formatAddress({ host, port })
  if (systemCodeOf(error) === 'EADDRINUSE')
    return new WeftError('PORT_IN_USE', `${address} is in use`, { cause: error })
  return new WeftError('LISTEN_FAILED', `cannot listen on ${address}: ${reasonOf(error)}`, { cause: error })
}

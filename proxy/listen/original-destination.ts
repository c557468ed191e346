/** Where a redirected connection was going: getsockopt(SO_ORIGINAL_DST), which Node does not offer. Linux only. */
import { Buffer } from 'node:buffer'
import { createRequire } from 'node:module'
import { SocketAddress } from 'node:net'
import { formatAddress } from '../../core/address.ts'
import { WeftError } from '../../core/errors.ts'

const ipProtocol = 0
const ipv6Protocol = 41
const soOriginalDst = 80

type GetSockOpt = (fd: number, level: number, name: number, value: Buffer, length: Uint32Array) => number

/** Loads libc's getsockopt; throws WeftError CONFIG_INVALID where that cannot work. */
function loadGetSockOpt(): GetSockOpt {
  if (process.platform !== 'linux') {
    throw new WeftError('CONFIG_INVALID', 'redirect mode needs Linux; use --mode explicit')
  }
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi')
  const libc = koffi.load(null)
  return libc.func(
    'int getsockopt(int fd, int level, int name, void *value, _Inout_ uint32_t *length)',
  ) as GetSockOpt
}

/** `address:port` of a sockaddr_in. */
export function readIpv4Address(bytes: Buffer): string {
  return `${bytes[4]}.${bytes[5]}.${bytes[6]}.${bytes[7]}:${bytes.readUInt16BE(2)}`
}

/** `[address]:port` of a sockaddr_in6, the address in its shortest form, as Services are found by it. */
export function readIpv6Address(bytes: Buffer): string {
  const groups: string[] = []
  for (let i = 8; i < 24; i += 2) groups.push(bytes.readUInt16BE(i).toString(16))
  const { address } = new SocketAddress({ address: groups.join(':'), family: 'ipv6' })
  return formatAddress({ host: address, port: bytes.readUInt16BE(2) })
}

/**
 * A function from an accepted descriptor to `address:port` (IPv6 in brackets), which is where the client connected to
 * when nothing was redirected; undefined when the kernel does not tell. Make it once: the library is loaded then.
 */
export function makeOriginalDestination(): (fd: number) => string | undefined {
  const getSockOpt = loadGetSockOpt()
  const address = Buffer.alloc(28)
  const length = new Uint32Array(1)
  return (fd) => {
    length[0] = 16
    if (getSockOpt(fd, ipProtocol, soOriginalDst, address, length) === 0) return readIpv4Address(address)
    length[0] = 28
    if (getSockOpt(fd, ipv6Protocol, soOriginalDst, address, length) === 0) return readIpv6Address(address)
    return undefined
  }
}

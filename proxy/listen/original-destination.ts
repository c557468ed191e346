/** Where a redirected connection was going: getsockopt(SO_ORIGINAL_DST), which Node does not offer. Linux only. */
import { Buffer } from 'node:buffer'
import { createRequire } from 'node:module'
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

function readIpv6(address: Buffer): string {
  const groups: string[] = []
  for (let i = 8; i < 24; i += 2) groups.push(address.readUInt16BE(i).toString(16))
  return `[${groups.join(':')}]`
}

/**
 * A function from an accepted descriptor to `address:port` (IPv6 in brackets), or undefined when the connection was not
 * redirected. Make it once: the library is loaded then.
 */
export function makeOriginalDestination(): (fd: number) => string | undefined {
  const getSockOpt = loadGetSockOpt()
  const address = Buffer.alloc(28)
  const length = new Uint32Array(1)
  return (fd) => {
    length[0] = 16
    if (getSockOpt(fd, ipProtocol, soOriginalDst, address, length) === 0) {
      return `${address[4]}.${address[5]}.${address[6]}.${address[7]}:${address.readUInt16BE(2)}`
    }
    length[0] = 28
    if (getSockOpt(fd, ipv6Protocol, soOriginalDst, address, length) === 0) {
      return `${readIpv6(address)}:${address.readUInt16BE(2)}`
    }
    return undefined
  }
}

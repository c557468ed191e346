/** Addresses of a bootstrap file. */
import type { Address as XdsAddress } from '../../api/xds/types.ts'
import type { Address } from '../../core/address.ts'
import type { Problems } from '../xds/problems.ts'

/** Host and port of `address`; a missing one is a problem. Port 0 asks for a free one where that is of use. */
export function socketAddress(
  address: XdsAddress | undefined,
  path: string,
  problems: Problems,
  lowestPort = 1,
): Address {
  const socket = address?.socketAddress
  const port = socket?.portValue ?? 0
  if (socket?.address === undefined || socket.address === '')
    problems.add(path, 'has no socket_address.address')
  else if (port < lowestPort || port > 65_535) problems.add(path, `${port} is no port`)
  if (socket?.protocol === 'UDP') problems.add(`${path}.socket_address.protocol`, 'UDP is not supported')
  return { host: socket?.address ?? '', port }
}

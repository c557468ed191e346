import { parseAddress } from '../core/address.ts'
import { WeftError } from '../core/errors.ts'

/** The address of an admin server as an option gave it. Throws CONFIG_INVALID, which names the option. */
export function adminAuthority(address: string, option: string): string {
  if (parseAddress(address) === undefined)
    throw new WeftError('CONFIG_INVALID', `${option}: '${address}' is not like 127.0.0.1:9990`)
  return address
}

/** A mesh without a cluster: every process listens on an address of its own. */
import type { SidecarFacts } from '../../api/diagnosis.ts'
import { formatAddress, parseAddress } from '../../core/address.ts'
import { reasonOf, WeftError } from '../../core/errors.ts'
import type { MeshAccess, Page } from './mesh-access.ts'

const timeoutMs = 10_000
const anyAddress = new Set(['0.0.0.0', '::'])

async function ask(address: string, path: string, method: 'GET' | 'POST'): Promise<Page> {
  const response = await fetch(`http://${address}${path}`, { method, signal: AbortSignal.timeout(timeoutMs) })
  return { status: response.status, text: await response.text() }
}

/** Who listens on every address listens on loopback too. */
function reachable(admin: string): string | undefined {
  const address = parseAddress(admin)
  if (address === undefined) return undefined
  return formatAddress(anyAddress.has(address.host) ? { ...address, host: '127.0.0.1' } : address)
}

/** Throws CONFIG_INVALID when `controlPlane` is no address. */
export function directAccess(controlPlane: string): MeshAccess {
  if (parseAddress(controlPlane) === undefined)
    throw new WeftError('CONFIG_INVALID', `--control-plane: '${controlPlane}' is not like 127.0.0.1:9990`)
  const askControlPlane = async (path: string): Promise<Page> => {
    try {
      return await ask(controlPlane, path, 'GET')
    } catch (error) {
      // Of a failed fetch only the cause says why.
      const { cause } = error as Error
      const reason = reasonOf(cause ?? error)
      const message = `the control plane at ${controlPlane}: ${reason}`
      throw new WeftError('CONTROL_PLANE_UNREACHABLE', message, { cause: error })
    }
  }
  return {
    controlPlane: askControlPlane,
    controlPlanes: async (path) => [await askControlPlane(path)],
    sidecar: async ({ admin }: SidecarFacts, method, path) => {
      const address = admin === null ? undefined : reachable(admin)
      if (address === undefined) return undefined
      try {
        return await ask(address, path, method)
      } catch {
        return undefined // Who asks says so.
      }
    },
    close: () => undefined,
  }
}

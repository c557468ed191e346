/** `weft dashboard`: says where the dashboard is, and shows it. */
import { spawn } from 'node:child_process'
import { WeftError } from '../core/errors.ts'
import { adminAuthority } from './admin-address.ts'

/** In a source tree the first one to ask waits for the build. */
const timeoutMs = 60_000

/** The dashboard's address, once it answers. Throws CONFIG_INVALID, CONTROL_PLANE_UNREACHABLE or DASHBOARD_UNBUILT. */
export async function findDashboard(controlPlane: string): Promise<string> {
  const url = `http://${adminAuthority(controlPlane, '--control-plane')}/dashboard/`
  let status: number
  let text: string
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) })
    status = response.status
    text = await response.text()
  } catch (error) {
    const message = `the admin server of the control plane at ${controlPlane} does not answer; in a cluster: kubectl -n weft port-forward deploy/weft-control-plane 9990`
    throw new WeftError('CONTROL_PLANE_UNREACHABLE', message, { cause: error })
  }
  if (status === 200) return url
  const unbuilt = status === 503
  throw new WeftError(
    unbuilt ? 'DASHBOARD_UNBUILT' : 'CONTROL_PLANE_UNREACHABLE',
    unbuilt ? text.trim() : `${controlPlane} answered ${status}: is it the admin server of a control plane?`,
  )
}

/** Shows it in the browser that this machine prefers. Where there is none nothing happens: the address was printed. */
export function openInBrowser(url: string): void {
  const program = process.platform === 'darwin' ? 'open' : 'xdg-open'
  const browser = spawn(program, [url], { detached: true, stdio: 'ignore' })
  browser.on('error', () => undefined)
  browser.unref()
}

/** `weft dashboard`: says where the dashboard is, and shows it. */
import { spawn } from 'node:child_process'
import { WeftError } from '../core/errors.ts'
import { adminAuthority } from './admin-address.ts'
import { serveDashboard } from './dashboard-server.ts'
import type { ConnectionOptions } from './reach/connection-options.ts'
import { connectThroughApiServer } from './reach/control-plane-connection.ts'
import { findMesh } from './reach/open-access.ts'

export type DashboardOptions = ConnectionOptions & {
  readonly account: string
  readonly port: string
  readonly open: boolean
}

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
    const message = `the admin server of the control plane at ${controlPlane} does not answer; of a cluster it is reached by --kubeconfig FILE`
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

function portOf(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new WeftError('CONFIG_INVALID', `--port: '${text}' is no port`)
}

/**
 * Prints the address. That of a cluster is served here, until `signal` ends it. Rejects as `findMesh`, `findDashboard` and
 * `serveDashboard` do.
 */
export async function runDashboard(options: DashboardOptions, signal: AbortSignal): Promise<void> {
  const { open, account } = options
  const port = portOf(options.port)
  const show = (url: string): void => {
    process.stdout.write(`${url}\n`)
    if (open && process.stdout.isTTY) openInBrowser(url)
  }
  const where = await findMesh(options)
  if (where.kind === 'address') return show(await findDashboard(where.address))
  const server = await serveDashboard(await connectThroughApiServer(where.api, account), port)
  show(server.url)
  if (process.stdout.isTTY) process.stdout.write('Ctrl-C ends it.\n')
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  server.stop()
  where.api.close()
}

/** `weft top`: the busiest edges, painted again every second; without a terminal, once. */
import type { ControlPlaneConnection } from './reach/control-plane-connection.ts'
import type { LiveMesh } from '../api/live.ts'
import { reasonOf } from '../core/errors.ts'
import { edgesOf, edgesText, topPicture } from './edges.ts'
import { readLiveMesh } from './live-mesh.ts'
import { screenOf } from './output.ts'
import { pause } from './until-ended.ts'

const everyMs = 1_000

/** Resolves when `signal` ends it. Rejects as the connection does. */
export async function runTop(
  connection: ControlPlaneConnection,
  namespace: string | undefined,
  signal: AbortSignal,
  terminal: NodeJS.WriteStream = process.stdout,
): Promise<void> {
  if (!terminal.isTTY) {
    const edges = edgesOf(await readLiveMesh(connection), namespace)
    terminal.write(edgesText(edges, 'table', screenOf(terminal)))
    return
  }
  // Who cannot be reached at all is told before the screen is taken.
  let mesh: LiveMesh = await readLiveMesh(connection, signal)
  let trouble: string | undefined
  terminal.write('\x1b[?25l\x1b[2J')
  try {
    for (;;) {
      const rows = terminal.rows === 0 ? 24 : terminal.rows
      terminal.write(topPicture(mesh, namespace, { ...screenOf(terminal), rows }, trouble))
      await pause(everyMs, signal)
      if (signal.aborted) return
      try {
        mesh = await readLiveMesh(connection, signal)
        trouble = undefined
      } catch (error) {
        trouble = `The figures are old: ${reasonOf(error)}`
      }
    }
  } finally {
    terminal.write('\x1b[?25h\n')
  }
}

/** `weft top`: the busiest edges, painted again every second; without a terminal, once. */
import type { ControlPlaneConnection } from './reach/control-plane-connection.ts'
import { edgesOf, edgesText, topPicture } from './edges.ts'
import { readLiveMesh } from './live-mesh.ts'
import { screenOf } from './output.ts'

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
  terminal.write('\x1b[?25l\x1b[2J')
  try {
    while (!signal.aborted) {
      const mesh = await readLiveMesh(connection)
      const rows = terminal.rows === 0 ? 24 : terminal.rows
      terminal.write(topPicture(mesh, namespace, { ...screenOf(terminal), rows }))
      await pause(signal)
    }
  } finally {
    terminal.write('\x1b[?25h\n')
  }
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, everyMs)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** The CLI's entry: one file per command, loaded when it is called. */
import { exitWithParent } from '../core/exit-with-parent.ts'
import { runMain } from '../core/main-guard.ts'
import { asksForHelp } from '../core/settings.ts'
import { meshProcesses, runMeshProcess } from './mesh-processes.ts'

/** Whoever reads (`| head`) has seen enough: that is no failure. */
function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
}

await runMain(async () => {
  const [name = '', ...args] = process.argv.slice(2)
  const meshProcess = meshProcesses.get(name)
  if (meshProcess !== undefined) {
    exitWithParent(process.env)
    if (asksForHelp(args)) endWithReader()
    await runMeshProcess(meshProcess, args, process.env)
    return
  }
  endWithReader()
  const { runCommand } = await import('./program.ts')
  process.exitCode = await runCommand(process.argv.slice(2))
})

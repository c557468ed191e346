/**
 * A data path in a process that has no file descriptor left, until a line comes on standard input.
 *   node exhausted-sidecar.ts UPSTREAM-PORT
 */
import { closeSync, openSync } from 'node:fs'
import { exitWithParent } from '../../core/exit-with-parent.ts'
import { startPlainDataPath } from './plain-data-path.ts'

exitWithParent(process.env)
const { port } = await startPlainDataPath([Number(process.argv[2])])
const held: number[] = []
process.stdin.on('data', () => {
  for (const fd of held.splice(0)) closeSync(fd)
  process.stdout.write('free\n')
})
process.stdout.write(`${port}\n`, () => {
  try {
    while (true) held.push(openSync('/dev/null', 'r'))
  } catch {
    process.stdout.write('full\n')
  }
})

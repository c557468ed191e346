/** `weft identity`: show who is who, and replace the root of the mesh. */
import type { Command } from 'commander'
import { systemClock } from '../core/clock.ts'
import { parseDurationMs } from '../core/duration.ts'
import { WeftError } from '../core/errors.ts'
import type { Registration } from './mesh-commands.ts'
import { machineText, type OutputForm, outputOption, screenOf } from './output.ts'
import { type ConnectionOptions, withConnection } from './reach/connection-options.ts'

type ShowFlags = ConnectionOptions & { readonly namespace?: string; readonly output: OutputForm }

async function show(flags: ShowFlags): Promise<void> {
  const { identitiesText, readIdentities } = await import('./identity.ts')
  const { withMesh } = await import('./reach/open-access.ts')
  const report = await withMesh(flags, (access) => readIdentities(access, flags.namespace))
  const { output } = flags
  process.stdout.write(
    machineText(report, output) ?? identitiesText(report, Date.now(), screenOf(), output === 'wide'),
  )
}

type RotateFlags = ConnectionOptions & {
  readonly step: boolean
  readonly timeout: string
  readonly leaveBehind: boolean
}

async function rotateRoot(flags: RotateFlags): Promise<void> {
  const timeoutMs = parseDurationMs(flags.timeout)
  if (timeoutMs === undefined)
    throw new WeftError('CONFIG_INVALID', 'the timeout is no duration', {
      detail: [`--timeout: '${flags.timeout}' is not like 10m`],
    })
  const { rotate } = await import('./identity-rotate.ts')
  const { withMesh } = await import('./reach/open-access.ts')
  const { step, leaveBehind } = flags
  const write = (line: string): void => void process.stdout.write(`${line}\n`)
  await withMesh(flags, (access) =>
    rotate(access, { step, timeoutMs, leaveBehind, clock: systemClock, write }),
  )
}

function showing(command: Command): Command {
  return withConnection(command)
    .option('-n, --namespace <name>', 'of this namespace only')
    .addOption(outputOption())
    .action(show)
}

export function addIdentity({ program, withExample }: Registration): void {
  const identity = program
    .command('identity')
    .description('who is who: identities, certificates, roots; and a new root for all of them')
  withExample(identity, 'weft identity -n shop')
  const shown = showing(
    identity
      .command('show', { isDefault: true })
      .description(
        'each sidecar, its certificate and bundle, and the roots; weft identity alone does the same',
      ),
  )
  withExample(shown, 'weft identity show -o wide')
  const rotating = withConnection(
    identity
      .command('rotate')
      .description('replace the root in four phases, each begun once every sidecar has followed')
      .option('--step', 'one phase further, and not to the end', false)
      .option('--timeout <duration>', 'how long each phase is waited for; 0 refuses at once', '10m')
      .option('--leave-behind', 'go on without sidecars that are not connected', false)
      .addHelpText(
        'after',
        '\nWhat was reached stays: called again, it goes on from there. Exit status 1 when a phase may not begin.',
      ),
  ).action(rotateRoot)
  withExample(rotating, 'weft identity rotate --timeout 30m')
}

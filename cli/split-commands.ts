/** `weft split`: show, set and watch TrafficSplits. */
import { type Command, Option } from 'commander'
import { WeftError } from '../core/errors.ts'
import { type ConnectionOptions, withConnection } from './reach/connection-options.ts'
import type { Registration } from './mesh-commands.ts'
import { type OutputForm, outputOption, screenOf } from './output.ts'
import { untilEnded } from './until-ended.ts'

type ShowFlags = ConnectionOptions & {
  readonly namespace?: string
  readonly output: OutputForm
  /** An older name of --control-plane. */
  readonly admin?: string
}

function selecting(command: Command): Command {
  return withConnection(command)
    .argument('[name]', 'a single one')
    .option('-n, --namespace <name>', 'of this namespace only')
    .addOption(outputOption())
    .addOption(new Option('--admin <address>', 'the same as --control-plane').hideHelp())
}

async function describe(
  name: string | undefined,
  flags: ShowFlags,
  wallMs: number | undefined,
): Promise<string> {
  const { describeSplits } = await import('./split.ts')
  const { withMesh } = await import('./reach/open-access.ts')
  const { namespace, output, admin } = flags
  const where = admin === undefined ? flags : { controlPlane: admin }
  return withMesh(where, (access) => describeSplits(access, { name, namespace, output }, screenOf(), wallMs))
}

async function show(name: string | undefined, flags: ShowFlags): Promise<void> {
  process.stdout.write(await describe(name, flags, Date.now()))
}

/** Redraws less often would look stuck; more often would be work for nothing. */
const watchEveryMs = 1_000

async function watch(name: string | undefined, flags: ShowFlags): Promise<void> {
  const { watchSplits } = await import('./split-watch.ts')
  const terminal = process.stdout.isTTY
  await watchSplits({
    // Where each change is written below the one before, passing time is none.
    read: () => describe(name, flags, terminal ? Date.now() : undefined),
    write: (text) => void process.stdout.write(text),
    intervalMs: watchEveryMs,
    terminal,
    signal: untilEnded(),
  })
}

type SetFlags = { readonly namespace: string; readonly config?: string; readonly kubeconfig?: string }

async function set(name: string, args: readonly string[], flags: SetFlags): Promise<void> {
  const { parseWeights, setInCluster, setInFolder } = await import('./split-set.ts')
  const weights = parseWeights(args)
  const split = { namespace: flags.namespace, name }
  if (flags.config !== undefined) {
    process.stdout.write(`${setInFolder(flags.config, split, weights)} is changed\n`)
    return
  }
  const { findMesh } = await import('./reach/open-access.ts')
  const { kubeconfig } = flags
  const where = await findMesh(kubeconfig === undefined ? {} : { kubeconfig }, true)
  if (where.kind === 'address')
    throw new WeftError(
      'CONFIG_INVALID',
      'say --config FOLDER, which the control plane reads, or --kubeconfig FILE',
    )
  await setInCluster(where.api, split, weights)
  where.api.close()
  process.stdout.write(`TrafficSplit ${split.namespace}/${name} is changed\n`)
}

export function addSplit({ program, withExample }: Registration): void {
  const split = program.command('split').description('show, set and watch traffic splits')
  withExample(split, 'weft split catalog -n shop')
  const showing = selecting(
    split
      .command('show', { isDefault: true })
      .description('weights, shares, what is left out and why, events; weft split alone does the same'),
  ).action(show)
  withExample(showing, 'weft split show catalog -n shop -o json')
  const setting = split
    .command('set')
    .description('give backends other weights')
    .argument('<name>', 'of the TrafficSplit')
    .argument('<weights...>', 'as BACKEND=WEIGHT; a backend that is not named keeps its weight')
    .option('-n, --namespace <name>', 'of the TrafficSplit', 'default')
    .option('--config <folder>', 'edit the YAML in this folder (or file) instead of an object of the cluster')
    .option('--kubeconfig <file>', 'of the cluster')
    .action(set)
  withExample(setting, 'weft split set catalog catalog-v1=90 catalog-v2=10 -n shop --config ./mesh')
  const watching = selecting(
    split.command('watch').description('show them, and again whenever something changes'),
  ).action(watch)
  withExample(watching, 'weft split watch catalog -n shop')
}

/** The commands that show live traffic, without Prometheus: stat, edges, top, tap. */
import { type Command, Option } from 'commander'
import { type ConnectionOptions, tapAccountOption, withConnection } from './reach/connection-options.ts'
import { connectToControlPlane } from './reach/control-plane-connection.ts'
import type { TapOptions } from './tap.ts'
import { type OutputForm, outputOption, screenOf } from './output.ts'
import { untilEnded } from './until-ended.ts'

type Options = ConnectionOptions & { readonly namespace?: string; readonly output: OutputForm }

/** `withExample` adds an example to a command's help. */
export function addLiveCommands(
  program: Command,
  withExample: (command: Command, example: string) => void,
): void {
  const stat = withConnection(
    program
      .command('stat')
      .description('show what workloads receive now: rate, success, latency, mTLS')
      .argument('[subject]', 'a kind (deploy, sts, pod, svc ...) or kind/name; all workloads unless given')
      .option('-n, --namespace <name>', 'of this namespace only')
      .addOption(outputOption()),
  ).action(async (subject: string | undefined, options: Options) => {
    const [{ statRows, statText }, { parseSubject }, { readLiveMesh }] = await Promise.all([
      import('./stat.ts'),
      import('./workload-kinds.ts'),
      import('./live-mesh.ts'),
    ])
    // What is wrong with the question is said before anybody is asked.
    parseSubject(subject)
    const mesh = await readLiveMesh(await connectToControlPlane(options))
    const query = { subject, namespace: options.namespace }
    process.stdout.write(statText(statRows(mesh, query), options.output, screenOf(), query))
  })
  withExample(stat, 'weft stat deploy/web -n shop')
  const edges = withConnection(
    program
      .command('edges')
      .description('show who sends to whom now, the busiest first')
      .option('-n, --namespace <name>', 'from or to this namespace only')
      .addOption(outputOption()),
  ).action(async (options: Options) => {
    const [{ edgesOf, edgesText }, { readLiveMesh }] = await Promise.all([
      import('./edges.ts'),
      import('./live-mesh.ts'),
    ])
    const mesh = await readLiveMesh(await connectToControlPlane(options))
    process.stdout.write(edgesText(edgesOf(mesh, options.namespace), options.output, screenOf()))
  })
  withExample(edges, 'weft edges -n shop -o wide')
  const top = withConnection(
    program
      .command('top')
      .description('watch the busiest edges, anew every second')
      .option('-n, --namespace <name>', 'from or to this namespace only'),
  ).action(async (options: Options) => {
    const { runTop } = await import('./top.ts')
    await runTop(await connectToControlPlane(options), options.namespace, untilEnded())
  })
  withExample(top, 'weft top -n shop')
  addTap(program, withExample)
}

type TapCommandOptions = ConnectionOptions &
  TapOptions & { readonly output: 'line' | 'json'; readonly account: string }

function addTap(program: Command, withExample: (command: Command, example: string) => void): void {
  const tap = withConnection(
    program
      .command('tap')
      .description('watch exchanges as they end; no bodies, no headers')
      .argument('[workload]', 'whose sidecars look: deploy/web, or the name alone; all unless given')
      .option('-n, --namespace <name>', 'of this namespace only')
      .option('--path <prefix>', 'of this path only')
      .option('--method <method>', 'of this method only')
      .option('--status <status>', 'like 503, or 5xx')
      .option('--grpc-status <status>', 'like UNAVAILABLE or 14; failed: all that count as failures')
      .option('--min-latency <ms>', 'that took as long, at least')
      .option('--peer <text>', 'with this in the peer, an identity or an address')
      .addOption(new Option('--direction <way>', 'as seen by').choices(['inbound', 'outbound']))
      .option('--max-rps <number>', 'lines a second at most', '100')
      .addOption(tapAccountOption())
      .addOption(
        new Option('-o, --output <form>', 'for people or for programs')
          .choices(['line', 'json'])
          .default('line'),
      ),
  ).action(async (workload: string | undefined, options: TapCommandOptions) => {
    const [{ missingWorkload, runTap, tapPage }, { readLiveMesh }] = await Promise.all([
      import('./tap.ts'),
      import('./live-mesh.ts'),
    ])
    const page = tapPage(workload, options)
    const connection = await connectToControlPlane(options, options.account)
    // It may come yet, and a name may be misspelt.
    const missing = missingWorkload(await readLiveMesh(connection), workload, options.namespace)
    if (missing !== undefined) process.stderr.write(`${missing}\n`)
    await runTap(connection, page, options.output, screenOf(), untilEnded())
  })
  withExample(tap, 'weft tap deploy/web -n shop --status 5xx')
}

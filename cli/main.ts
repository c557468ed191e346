/** The CLI: one file per command, loaded when it is called, so that a sidecar loads nothing but itself. */
import { Command } from 'commander'
import { exitWithParent } from '../core/exit-with-parent.ts'
import { runMain } from '../core/main-guard.ts'
import { version } from '../core/version.ts'

const program = new Command('weft')
  .description('A service mesh whose sidecar is a lean Node process.')
  .version(version)
  .addHelpText('after', '\nExample:\n  weft demo            run a whole mesh on this machine\n')

/** A process of the mesh reads its own settings: its arguments go through untouched. */
function processCommand(
  name: string,
  description: string,
  run: (args: readonly string[]) => Promise<void>,
): void {
  program
    .command(name)
    .description(description)
    .allowUnknownOption()
    .allowExcessArguments()
    .helpOption(false)
    .argument('[settings...]', 'see --help')
    .action(async (_settings: string[], _options: object, command: Command) => {
      exitWithParent(process.env)
      await run(command.args)
    })
}

processCommand('proxy', 'run a sidecar (proxy --help lists its settings)', async (args) => {
  const { main } = await import('../proxy/main.ts')
  await main(args, process.env)
})
processCommand(
  'control-plane',
  'run the control plane (control-plane --help lists its settings)',
  async (args) => {
    const { main } = await import('../control-plane/main.ts')
    await main(args, process.env)
  },
)

const token = program.command('token').description('tokens that prove a workload to the control plane')
token
  .command('create')
  .description('sign a token with the key in the state folder and print it')
  .requiredOption('--state <folder>', 'state folder of the control plane')
  .requiredOption('--namespace <name>', 'namespace of the workload')
  .requiredOption('--service-account <name>', 'its service account')
  .option('--ttl <duration>', 'how long it is valid', '24h')
  .addHelpText(
    'after',
    '\nExample:\n  weft token create --state ./state --namespace shop --service-account web > web.token\n',
  )
  .action(async (options: { state: string; namespace: string; serviceAccount: string; ttl: string }) => {
    const { createWorkloadToken } = await import('./token.ts')
    process.stdout.write(`${createWorkloadToken(options)}\n`)
  })

program
  .command('demo')
  .description('run a whole mesh on this machine: control plane, applications, sidecars, load')
  .option('--ci', 'fast, check every claim, end in one line of JSON')
  .option('--zipkin <url>', 'send all traces there, e.g. http://127.0.0.1:9411/api/v2/spans')
  .addHelpText('after', '\nExample:\n  weft demo --zipkin http://127.0.0.1:9411/api/v2/spans\n')
  .action(async (options: { ci?: boolean; zipkin?: string }) => {
    const { demo } = await import('./demo/demo.ts')
    process.exitCode = await demo({ ci: options.ci === true, zipkinUrl: options.zipkin })
  })

program
  .command('version')
  .description('print the version')
  .action(() => {
    process.stdout.write(`${version}\n`)
  })

await runMain(async () => {
  await program.parseAsync()
})

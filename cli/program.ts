/** Every command that is not a process of the mesh, and the help that lists them all. */
import { Command, CommanderError, Option } from 'commander'
import { defaultControlPlane, defaultImage } from '../api/deployment.ts'
import { WeftError } from '../core/errors.ts'
import type { InstallOptions } from '../deploy/manifests/install-options.ts'
import { version } from '../core/version.ts'
import type { DashboardOptions } from './dashboard.ts'
import { addLiveCommands } from './live-commands.ts'
import { addMeshCommands } from './mesh-commands.ts'
import { meshProcesses, runMeshProcess } from './mesh-processes.ts'
import { tapAccountOption, withConnection } from './reach/connection-options.ts'
import { addSplit } from './split-commands.ts'
import { untilEnded } from './until-ended.ts'
import type { UpgradeChanges } from './upgrade.ts'

/** Runs one command and gives its exit status. Throws WeftError, CONFIG_INVALID for arguments that it does not take. */
export async function runCommand(args: readonly string[]): Promise<number> {
  const helpOn = args[0] === 'help' ? meshProcesses.get(args[1] ?? '') : undefined
  if (helpOn !== undefined) {
    await runMeshProcess(helpOn, ['--help'], process.env)
    return 0
  }
  let status = 0
  const program = makeProgram((value) => {
    status = value
  })
  if (args[0] === 'help' && args[1] !== undefined && !program.commands.some((one) => one.name() === args[1]))
    throw new WeftError('CONFIG_INVALID', `unknown command '${args[1]}'; weft --help lists all`)
  try {
    await program.parseAsync(args.length === 0 ? ['--help'] : [...args], { from: 'user' })
    return status
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return 0
    // A group of commands called without one of them: its help was printed.
    if (error.code === 'commander.help') return 2
    throw new WeftError('CONFIG_INVALID', error.message.replace(/^error: /, ''), { cause: error })
  }
}

/** Every command, for the help, the shell and the reference page. */
export function makeProgram(exitWith: (status: number) => void): Command {
  const program = new Command('weft')
    .description('A service mesh whose sidecar is a lean Node process.')
    .version(version, '--version', 'print the version')
    .exitOverride()
    // The one line about an error is written at the edge of the process, with its code.
    .configureOutput({ outputError: () => undefined })
  withExample(program, 'weft demo      run a whole mesh on this machine')
  for (const [name, meshProcess] of meshProcesses) {
    program
      .command(name)
      .description(`${meshProcess.description} (${name} --help lists its settings)`)
      .helpOption(false)
  }
  addToken(program)
  addSplit({ program, exitWith, withExample })
  addLiveCommands(program, withExample)
  addInject(program, exitWith)
  addInstall(program)
  addDashboard(program)
  addDemo(program, exitWith)
  addMeshCommands({ program, exitWith, withExample })
  return program
}

function withExample(command: Command, example: string): void {
  command.addHelpText('after', `\nExample:\n  ${example}`)
}

function addToken(program: Command): void {
  const token = program.command('token').description('tokens that prove a workload to the control plane')
  const example = 'weft token create --state ./state --namespace shop --service-account web > web.token'
  withExample(token, example)
  const create = token
    .command('create')
    .description('sign a token with the key in the state folder and print it')
    .requiredOption('--state <folder>', 'state folder of the control plane')
    .requiredOption('--namespace <name>', 'namespace of the workload')
    .requiredOption('--service-account <name>', 'its service account')
    .option('--ttl <duration>', 'how long it is valid', '24h')
    .action(async (options: { state: string; namespace: string; serviceAccount: string; ttl: string }) => {
      const { createWorkloadToken } = await import('./token.ts')
      process.stdout.write(`${createWorkloadToken(options)}\n`)
    })
  withExample(create, example)
}

type InjectOptions = {
  readonly trustBundle: string
  readonly image: string
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never'
  readonly controlPlane: string
  readonly trustDomain: string
  readonly interception: 'init' | 'cni'
}

function addInject(program: Command, exitWith: (status: number) => void): void {
  const command = program
    .command('inject')
    .description('add sidecars to manifests; what becomes of each object is said on standard error')
    .argument('[file]', 'of YAML or JSON; - is standard input', '-')
    .requiredOption('--trust-bundle <file>', 'PEM that the control plane is trusted by')
    .option('--image <name>', 'of weft', defaultImage)
    .addOption(
      new Option('--image-pull-policy <policy>')
        .choices(['Always', 'IfNotPresent', 'Never'])
        .default('IfNotPresent'),
    )
    .option('--control-plane <address>', 'as pods reach it', defaultControlPlane)
    .option('--trust-domain <name>', 'of the mesh', 'cluster.local')
    .addOption(
      new Option('--interception <by>', 'who redirects connections').choices(['init', 'cni']).default('init'),
    )
    .action(async (file: string, { trustBundle, ...rest }: InjectOptions) => {
      const { checkedBundle, injectManifests, readManifests, writeManifests } = await import('./inject.ts')
      const plan = { ...rest, trustBundle: checkedBundle(await readManifests(trustBundle), trustBundle) }
      exitWith(writeManifests(injectManifests(await readManifests(file), plan)))
    })
  withExample(
    command,
    'kubectl get deploy -o yaml | weft inject --trust-bundle root-cert.pem - | kubectl apply -f -',
  )
  const undo = program
    .command('uninject')
    .description('take the sidecars out of manifests')
    .argument('[file]', 'of YAML or JSON; - is standard input', '-')
    .action(async (file: string) => {
      const { readManifests, uninjectManifests, writeManifests } = await import('./inject.ts')
      exitWith(writeManifests(uninjectManifests(await readManifests(file))))
    })
  withExample(undo, 'weft uninject web.yaml > web.plain.yaml')
}

function addInstall(program: Command): void {
  const install = program
    .command('install')
    .description('print all of weft as YAML for kubectl: control plane, injector, their rights, CRDs')
    .option('--image <name>', 'of weft', defaultImage)
    .addOption(
      new Option('--image-pull-policy <policy>')
        .choices(['Always', 'IfNotPresent', 'Never'])
        .default('IfNotPresent'),
    )
    .option('--trust-domain <name>', 'of the mesh', 'cluster.local')
    .addOption(
      new Option('--interception <by>', 'who redirects connections').choices(['init', 'cni']).default('init'),
    )
    .option('--ha', 'three replicas on different nodes; no pod is made without its sidecar', false)
    .option(
      '--issuer-secret <name>',
      "Secret in namespace weft with your own issuer (tls.key, tls.crt, ca.crt); default: weft's own root",
    )
    .action(async ({ issuerSecret, ...options }: InstallOptions) => {
      const { checkedSecretName, installText } = await import('./install.ts')
      process.stdout.write(installText({ ...options, issuerSecret: checkedSecretName(issuerSecret) }))
    })
  withExample(install, 'weft install --image registry.example/weft:0.1.0 --ha | kubectl apply -f -')
  const upgrade = program
    .command('upgrade')
    .description('print this version of weft with the settings of the one that kubectl finds installed')
    .option(
      '--image <name>',
      'of weft; default: that of before, with the tag of this version where it had one',
    )
    .addOption(new Option('--image-pull-policy <policy>').choices(['Always', 'IfNotPresent', 'Never']))
    .addOption(new Option('--interception <by>', 'who redirects connections').choices(['init', 'cni']))
    .option('--ha', 'three replicas from now on')
    .option('--no-ha', 'one replica from now on')
    .option(
      '--obsolete',
      'print what is to be deleted afterwards instead: what this version has no longer',
      false,
    )
    .action(async ({ obsolete, ...changes }: UpgradeChanges & { obsolete: boolean }) => {
      const { describeUpgrade } = await import('./upgrade.ts')
      process.stdout.write(await describeUpgrade(changes, { obsolete }))
    })
  withExample(
    upgrade,
    'weft upgrade | kubectl apply -f -\n  weft upgrade --obsolete | kubectl delete --ignore-not-found -f -',
  )
  const uninstall = program
    .command('uninstall')
    .description('print what to delete to have no weft any more')
    .option('--crds', 'the CRDs too, and with them every policy and split that somebody has made', false)
    .action(async ({ crds }: { crds: boolean }) => {
      const { uninstallText } = await import('./install.ts')
      process.stdout.write(uninstallText({ withCrds: crds }))
    })
  withExample(uninstall, 'weft uninstall | kubectl delete --ignore-not-found -f -')
}

function addDashboard(program: Command): void {
  const dashboard = withConnection(
    program
      .command('dashboard')
      .description(
        'print the address of the dashboard, and open it: service graph, splits, sidecars, live tap',
      )
      .option('--port <number>', 'in a cluster: on this machine, where it is served; 0 picks one', '0')
      .addOption(tapAccountOption())
      .option('--no-open', 'print the address only, as where the output is no terminal'),
  ).action(async (options: DashboardOptions) => {
    const { runDashboard } = await import('./dashboard.ts')
    await runDashboard(options, untilEnded())
  })
  withExample(dashboard, 'weft dashboard --kubeconfig ~/.kube/config')
}

function addDemo(program: Command, exitWith: (status: number) => void): void {
  const demo = program
    .command('demo')
    .description('run a whole mesh on this machine: control plane, applications, sidecars, load')
    .option('--ci', 'fast, check every claim, end in one line of JSON')
    .option('--zipkin <url>', 'send all traces there')
    .action(async (options: { ci?: boolean; zipkin?: string }) => {
      const { runDemo, checkedZipkinUrl } = await import('./demo/demo.ts')
      exitWith(await runDemo({ ci: options.ci === true, zipkinUrl: checkedZipkinUrl(options.zipkin) }))
    })
  withExample(demo, 'weft demo --zipkin http://127.0.0.1:9411')
}

/** The commands that look at a mesh that runs: their arguments, and what each prints. */
import { type Command, Option } from 'commander'
import { type ConnectionOptions, withConnection } from './reach/connection-options.ts'
import { machineText, type OutputForm, outputOption, screenOf } from './output.ts'
import { addIdentity } from './identity-commands.ts'
import type { MeshAccess } from './reach/mesh-access.ts'

export type Registration = {
  readonly program: Command
  readonly exitWith: (status: number) => void
  readonly withExample: (command: Command, example: string) => void
}

type Common = ConnectionOptions & { readonly output: OutputForm }

async function reach<T>(options: ConnectionOptions, use: (access: MeshAccess) => Promise<T>): Promise<T> {
  const { withMesh } = await import('./reach/open-access.ts')
  return withMesh(options, use)
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}

type CheckFlags = ConnectionOptions & {
  readonly pre: boolean
  readonly proxy: boolean
  readonly output: OutputForm | 'short'
}

export function addCheck({ program, exitWith, withExample }: Registration): void {
  const command = program
    .command('check')
    .description('see whether weft can be installed, is installed, and works; each trouble with what to do')
    .option('--pre', 'what has to be so before weft is installed', false)
    .option('--proxy', 'the sidecars one by one, too', false)
    .addOption(
      new Option('-o, --output <form>', 'short: only what is not well')
        .choices(['table', 'wide', 'short', 'json', 'yaml'])
        .default('table'),
    )
    .addHelpText(
      'after',
      '\nExit status: 0 when nothing fails, 1 when something does. Warnings do not count.',
    )
  withConnection(command).action(async (flags: CheckFlags) => {
    const { runChecks } = await import('./check/run-checks.ts')
    const { checksText, exitStatus } = await import('./check/check.ts')
    const checks = await runChecks(flags)
    const { output } = flags
    const machine = output === 'short' ? undefined : machineText({ checks }, output)
    process.stdout.write(machine ?? checksText(checks, output === 'short', screenOf()))
    exitWith(exitStatus(checks))
  })
  withExample(command, 'weft check --proxy')
}

type DiagnoseFlags = Common & {
  readonly namespace?: string
  readonly method: string
  readonly header: readonly string[]
}

export function addDiagnose({ program, exitWith, withExample }: Registration): void {
  const command = program
    .command('diagnose')
    .description('why does A not reach B: walks name, route, policy, backend, endpoint and identity')
    .argument('<from>', 'pod that calls, as POD, NAMESPACE/POD or deploy/NAME')
    .argument('<to>', 'what it calls, as HOST[:PORT][/PATH], or a URL')
    .option('-n, --namespace <name>', 'of the pod; needed where several have its name')
    .option('-X, --method <method>', 'of the request', 'GET')
    .option('-H, --header <field>', "of the request, as 'Name: value'; may be repeated", collect, [])
    .addOption(outputOption())
    .addHelpText('after', '\nExit status: 0 when nothing stops the request, 1 when something does.')
  withConnection(command).action(async (from: string, to: string, flags: DiagnoseFlags) => {
    const { diagnose, diagnosisText } = await import('./diagnose/diagnose.ts')
    const { namespace, method, header: headers, output } = flags
    const options = { from, to, namespace, method, headers }
    const found = await reach(flags, (access) => diagnose(access, options, Date.now()))
    process.stdout.write(machineText(found, output) ?? diagnosisText(found, screenOf()))
    exitWith(found.end === null ? 0 : 1)
  })
  withExample(command, 'weft diagnose shop/web-5d4f catalog:8080/items -X POST')
}

export function addConfig({ program, withExample }: Registration): void {
  const command = program
    .command('config')
    .description('what one sidecar holds: listeners, routes, clusters, endpoints, certificate')
    .argument('<pod>', 'as POD, NAMESPACE/POD or deploy/NAME')
    .argument('[section]', 'one of listeners, routes, clusters, endpoints, certificate')
    .option('-n, --namespace <name>', 'of the pod; needed where several have its name')
    .addOption(outputOption())
  withConnection(command).action(
    async (pod: string, named: string | undefined, flags: Common & { readonly namespace?: string }) => {
      const { configData, configText, readHeldConfig, sectionOf } = await import('./config.ts')
      const section = sectionOf(named)
      const held = await reach(flags, (access) => readHeldConfig(access, pod, flags.namespace))
      const machine = machineText(configData(held, section), flags.output)
      process.stdout.write(machine ?? configText(held, section, screenOf(), flags.output === 'wide'))
    },
  )
  withExample(command, 'weft config shop/web-5d4f routes')
}

/** Of this namespace, where one is named. */
function within<T extends { readonly namespace: string }>(
  all: readonly T[],
  namespace: string | undefined,
): readonly T[] {
  return namespace === undefined ? all : all.filter((one) => one.namespace === namespace)
}

type Listed = Common & { readonly namespace?: string }

export function addRoutes({ program, withExample }: Registration): void {
  const command = program
    .command('routes')
    .description(
      'HTTPRoutes and GRPCRoutes of Services: whether each is accepted, and its backends are there',
    )
    .option('-n, --namespace <name>', 'of this namespace only')
    .addOption(outputOption())
  withConnection(command).action(async (flags: Listed) => {
    const { readRoutes, routesTable } = await import('./routes.ts')
    const { render } = await import('./text-table.ts')
    const routes = within(await reach(flags, readRoutes), flags.namespace)
    const table = (wide: boolean) => routesTable(routes, wide)
    process.stdout.write(
      render(flags.output, { data: routes, table, none: 'There are no routes.' }, screenOf()),
    )
  })
  withExample(command, 'weft routes -n shop -o wide')
}

async function callersOf(pod: string, flags: Listed): Promise<string> {
  const { callersTable, readCallers } = await import('./callers.ts')
  const { render } = await import('./text-table.ts')
  const data = await reach(flags, (access) => readCallers(access, pod, flags.namespace))
  return render(flags.output, { data, table: () => callersTable(data), none: '' }, screenOf())
}

export function addPolicy({ program, withExample }: Registration): void {
  const command = program
    .command('policy')
    .description(
      'policies: where each counts, and where the settings of a Service come from; of a pod, who may call it',
    )
    .argument('[pod]', 'whose callers are asked for, as POD, NAMESPACE/POD or deploy/NAME')
    .option('-n, --namespace <name>', 'of this namespace only')
    .addOption(outputOption())
  withConnection(command).action(async (pod: string | undefined, flags: Listed) => {
    if (pod !== undefined) {
      process.stdout.write(await callersOf(pod, flags))
      return
    }
    const { policiesText, readPolicies } = await import('./policy.ts')
    const { policies, services, access } = await reach(flags, readPolicies)
    const { namespace, output } = flags
    const page = {
      policies: within(policies, namespace),
      services: within(services, namespace),
      access: within(access, namespace),
    }
    process.stdout.write(machineText(page, output) ?? policiesText(page, screenOf(), output === 'wide'))
  })
  withExample(command, 'weft policy shop/catalog-6c9f')
}

export function addVersion({ program, exitWith, withExample }: Registration): void {
  const command = program
    .command('version')
    .description('versions of the client, the control plane and the sidecars, and whether they differ')
    .option('--client', 'only of the client', false)
    .addOption(outputOption())
    .addHelpText('after', '\nExit status: 1 when they differ, or the mesh that was named cannot be asked.')
  withConnection(command).action(async (flags: Common & { readonly client: boolean }) => {
    const { clientVersion, findVersions, versionsText } = await import('./version.ts')
    if (flags.client) {
      process.stdout.write(machineText({ client: clientVersion }, flags.output) ?? `${clientVersion}\n`)
      return
    }
    const versions = await findVersions(flags)
    process.stdout.write(machineText(versions, flags.output) ?? versionsText(versions))
    const named = (flags.controlPlane ?? flags.kubeconfig) !== undefined
    exitWith(versions.skew || (named && versions.problem !== null) ? 1 : 0)
  })
  withExample(command, 'weft version')
}

export function addCompletion({ program, withExample }: Registration): void {
  const command = program
    .command('completion')
    .description('print what a shell needs to complete commands and flags')
    .argument('<shell>', 'bash, zsh or fish')
    .action(async (shell: string) => {
      const { completionScript, shellOf } = await import('./completion.ts')
      process.stdout.write(completionScript(shellOf(shell), program))
    })
  withExample(command, 'source <(weft completion bash)')
}

/** In the order in which the help lists them. */
export function addMeshCommands(registration: Registration): void {
  addCheck(registration)
  addDiagnose(registration)
  addConfig(registration)
  addRoutes(registration)
  addPolicy(registration)
  addIdentity(registration)
  addVersion(registration)
  addCompletion(registration)
}

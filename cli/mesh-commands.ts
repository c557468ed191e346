/** The commands that look at a mesh that runs: their arguments, and what each prints. */
import { type Command, Option } from 'commander'
import { outputForms, type OutputForm, terminalOf } from './output/render.ts'
import { openKubernetes, type Where, withMesh } from './reach/open-access.ts'

export type Registration = {
  readonly program: Command
  readonly exitWith: (status: number) => void
  readonly withExample: (command: Command, example: string) => void
}

/** Every command of a mesh takes them. */
export function addWhere(command: Command): Command {
  return command
    .option(
      '--control-plane <address>',
      'admin server of a control plane without a cluster, like 127.0.0.1:9990',
    )
    .option('--kubeconfig <file>', 'of the cluster; KUBECONFIG or ~/.kube/config unless set')
}

export function addOutput(command: Command, choices: readonly OutputForm[] = outputForms): Command {
  return command.addOption(
    new Option('-o, --output <form>', 'for people or for programs').choices(choices).default('table'),
  )
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}

type DiagnoseFlags = Where & {
  readonly namespace: string
  readonly method: string
  readonly header: readonly string[]
  readonly output: OutputForm
}

export function addDiagnose({ program, exitWith, withExample }: Registration): void {
  const command = program
    .command('diagnose')
    .description('why does A not reach B: walks name, route, policy, backend, endpoint and identity')
    .argument('<from>', 'pod that calls, as POD or NAMESPACE/POD')
    .argument('<to>', 'what it calls, as HOST[:PORT][/PATH]')
    .option('-n, --namespace <name>', 'of the pod', 'default')
    .option('-X, --method <method>', 'of the request', 'GET')
    .option('-H, --header <field>', "of the request, as 'Name: value'; may be repeated", collect, [])
    .addHelpText('after', '\nExit status: 0 when nothing stops the request, 1 when something does.')
  addOutput(addWhere(command), ['table', 'json', 'yaml'])
  command.action(async (from: string, to: string, flags: DiagnoseFlags) => {
    const { diagnose, diagnosisText } = await import('./diagnose/diagnose.ts')
    const { namespace, method, header: headers, output } = flags
    const found = await withMesh(flags, (access) =>
      diagnose(access, { from, to, namespace, method, headers }, Date.now()),
    )
    await printFound(output, found, () => diagnosisText(found, terminalOf(process.stdout, process.env)))
    exitWith(found.end === null ? 0 : 1)
  })
  withExample(command, 'weft diagnose shop/web-5d4f catalog:8080/items -X POST')
}

/** For programs as it is, for people as `text` makes it. */
async function printFound(form: OutputForm, found: object, text: () => string): Promise<void> {
  if (form === 'json') process.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`)
  else if (form === 'yaml') process.stdout.write((await import('yaml')).stringify(found))
  else process.stdout.write(text())
}

type CheckFlags = Where & {
  readonly pre: boolean
  readonly proxy: boolean
  readonly output: 'table' | 'short' | 'json'
}

export function addCheck({ program, exitWith, withExample }: Registration): void {
  const command = program
    .command('check')
    .description('see whether weft can be installed, is installed, and works; each trouble with what to do')
    .option('--pre', 'what has to be so before weft is installed', false)
    .option('--proxy', 'the sidecars one by one, too', false)
    .addOption(
      new Option('-o, --output <form>', 'short: only what is not well')
        .choices(['table', 'short', 'json'])
        .default('table'),
    )
    .addHelpText(
      'after',
      '\nExit status: 0 when nothing fails, 1 when something does. Warnings do not count.',
    )
  addWhere(command).action(async (flags: CheckFlags) => {
    const { checkCluster, checkMesh } = await import('./check/run-checks.ts')
    const { checksText, exitStatus } = await import('./check/check.ts')
    const { controlPlane, output } = flags
    const checks =
      controlPlane === undefined
        ? await checkCluster(openKubernetes(flags), flags)
        : await checkMesh(controlPlane)
    if (output === 'json') process.stdout.write(`${JSON.stringify({ checks }, undefined, 2)}\n`)
    else process.stdout.write(checksText(checks, output === 'short', terminalOf(process.stdout, process.env)))
    exitWith(exitStatus(checks))
  })
  withExample(command, 'weft check --proxy\n  weft check --control-plane 127.0.0.1:9990 -o short')
}

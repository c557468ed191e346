/** The commands with settings of their own, which they also read from the environment: arguments go to their main untouched. */
import { asksForHelp } from '../core/settings.ts'

export type MeshProcess = {
  readonly description: string
  readonly example: string
  readonly main: (args: readonly string[], env: Readonly<Record<string, string | undefined>>) => Promise<void>
}

/** By name of the command. Each loads its process only when it is started: a sidecar holds nothing but itself. */
export const meshProcesses: ReadonlyMap<string, MeshProcess> = new Map([
  [
    'proxy',
    {
      description: 'run a sidecar',
      example:
        'weft proxy --control-plane 127.0.0.1:8086 --control-plane-ca state/root-cert.pem \\\n' +
        '    --token-file web.token --namespace shop --pod web-0 --service-account web',
      main: async (args, env) => (await import('../proxy/main.ts')).main(args, env),
    },
  ],
  [
    'control-plane',
    {
      description: 'run the control plane over a folder of Kubernetes YAML',
      example: 'weft control-plane --config ./mesh --state ./state',
      main: async (args, env) => (await import('../control-plane/main.ts')).main(args, env),
    },
  ],
  [
    'injector',
    {
      description: 'run the admission webhook that gives pods their sidecars',
      example: 'weft injector --kubeconfig ~/.kube/config --image registry.example/weft:1',
      main: async (args, env) => (await import('../injector/main.ts')).main(args, env),
    },
  ],
  [
    'await',
    {
      description: 'wait until the sidecar of this pod is ready',
      example: 'weft await --timeout 30s',
      main: async (args, env) => (await import('./await.ts')).main(args, env),
    },
  ],
  [
    'init',
    {
      description: 'redirect the connections of this network namespace to its sidecar',
      example: 'weft init --skip-inbound-ports 22 --dry-run',
      main: async (args, env) => (await import('./init.ts')).main(args, env),
    },
  ],
])

/** Runs the process; `--help` is answered by its own main, to which the example is added here. */
export async function runMeshProcess(
  { example, main }: MeshProcess,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  await main(args, env)
  if (asksForHelp(args)) process.stdout.write(`\n\nExample:\n  ${example}\n`)
}

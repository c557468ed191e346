import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { freePorts } from '../../cli/demo/ports.ts'
import { untilAnswering } from '../../cli/demo/sidecar-admin.ts'
import { createWorkloadToken } from '../../cli/token.ts'
import { bundleOf } from '../../deploy/bundle.ts'
import type { MeasuredProcess, Peer, RunningPeer, Setup } from '../peer.ts'
import { startProcess, stopProcess } from '../process.ts'
import { benchMeshYaml } from './bench-mesh.ts'

const env = { WEFT_LOG_LEVEL: 'warn', WEFT_EXIT_WITH_PARENT: '1' }

type Started = { readonly pid: number; readonly stop: () => Promise<void> }
type ControlPlane = Started & { readonly folder: string; readonly grpcPort: number }

/** `--name value` for each setting. */
function flags(settings: Readonly<Record<string, string>>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
}

/** Runs a bundle and resolves when its admin server says that it is ready. */
async function startReady(
  name: 'proxy' | 'control-plane',
  nodeArgs: readonly string[],
  settings: Readonly<Record<string, string>>,
): Promise<Started> {
  const [adminPort] = (await freePorts(1)) as [number]
  const args = [
    ...nodeArgs,
    bundleOf(name),
    ...flags({ ...settings, 'admin-address': `127.0.0.1:${adminPort}` }),
  ]
  const child = startProcess(process.execPath, args, env)
  await untilAnswering({
    name,
    port: adminPort,
    path: '/ready',
    timeoutMs: 20_000,
    fallen: () => (child.exitCode === null ? undefined : `weft ${name} ended with status ${child.exitCode}`),
  })
  return { pid: child.pid as number, stop: () => stopProcess(child) }
}

async function startControlPlane(folder: string, yaml: string): Promise<ControlPlane> {
  const [grpcPort] = (await freePorts(1)) as [number]
  const config = path.join(folder, 'config')
  const state = path.join(folder, 'state')
  mkdirSync(config)
  writeFileSync(path.join(config, 'mesh.yaml'), yaml)
  const started = await startReady('control-plane', [], {
    config,
    state,
    'grpc-address': `127.0.0.1:${grpcPort}`,
  })
  copyFileSync(path.join(state, 'root-cert.pem'), path.join(folder, 'roots.pem'))
  return { ...started, folder, grpcPort }
}

/** A sidecar with an identity that the control plane's CA has signed. */
function startSidecar(
  { folder, grpcPort }: ControlPlane,
  pod: string,
  outboundPort: number,
  nodeArgs: readonly string[],
): Promise<Started> {
  const token = createWorkloadToken({
    state: path.join(folder, 'state'),
    namespace: 'bench',
    serviceAccount: pod,
    ttl: '24h',
  })
  const tokenFile = path.join(folder, `${pod}.token`)
  writeFileSync(tokenFile, token, { mode: 0o600 })
  return startReady('proxy', nodeArgs, {
    'control-plane': `127.0.0.1:${grpcPort}`,
    'control-plane-ca': path.join(folder, 'roots.pem'),
    'token-file': tokenFile,
    namespace: 'bench',
    pod,
    'service-account': pod,
    'outbound-address': `127.0.0.1:${outboundPort}`,
  })
}

function running(
  port: number,
  controlPlane: ControlPlane,
  sidecars: readonly (MeasuredProcess & Started)[],
): RunningPeer {
  return {
    port,
    processes: sidecars,
    stop: async () => {
      await Promise.all([controlPlane, ...sidecars].map(({ stop }) => stop()))
    },
  }
}

/** Starts a real control plane and its sidecars; `nodeArgs` are for the sidecars' Node. */
export async function startWeft(
  { topology, backendPort, folder, routes }: Setup,
  nodeArgs: readonly string[] = [],
): Promise<RunningPeer> {
  const [port, inboundPort, unusedPort] = (await freePorts(3)) as [number, number, number]
  const pair = topology === 'pair'
  const yaml = benchMeshYaml({
    endpointPort: pair ? inboundPort : backendPort,
    inbound: pair ? { applicationPort: backendPort } : undefined,
    routes,
  })
  const controlPlane = await startControlPlane(folder, yaml)
  const outbound = await startSidecar(controlPlane, 'client', port, nodeArgs)
  const sidecars = [{ role: 'outbound', ...outbound }]
  if (pair) {
    const inbound = await startSidecar(controlPlane, 'app', unusedPort, nodeArgs)
    sidecars.push({ role: 'inbound', ...inbound })
  }
  return running(port, controlPlane, sidecars)
}

/** A real sidecar of a real control plane with everything on: routes, metrics, trace context (1 %), retries, P2C EWMA. */
export const weft: Peer = {
  name: 'weft',
  topologies: ['plain', 'pair'],
  available: () => true,
  start: (setup) => startWeft(setup),
}

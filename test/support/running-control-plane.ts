/** A control plane in this process over a folder of its own, for tests. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type RunningControlPlane, startControlPlane } from '../../control-plane/control-plane.ts'
import { createLog } from '../../core/log.ts'

export type TestControlPlane = {
  readonly folder: string
  readonly running: RunningControlPlane
  readonly logLines: readonly string[]
  readonly write: (file: string, text: string) => void
  readonly stop: () => Promise<void>
}

/** `folder` is kept and used again by a restart; `ports` fixes addresses that clients know. */
export async function startTestControlPlane(
  files: Readonly<Record<string, string>>,
  options: {
    readonly folder?: string
    readonly insecurePort?: number
    readonly grpcPort?: number
    readonly referenceGrants?: 'ignored' | 'required'
    /** Files of an issuer that is not weft's own. */
    readonly issuer?: { readonly key: string; readonly certificate: string; readonly bundle: string }
  } = {},
): Promise<TestControlPlane> {
  const folder = options.folder ?? mkdtempSync(path.join(tmpdir(), 'weft-test-'))
  for (const name of ['config', 'new']) mkdirSync(path.join(folder, name), { recursive: true })
  const write = (file: string, text: string): void => {
    writeFileSync(path.join(folder, 'new', file), text)
    renameSync(path.join(folder, 'new', file), path.join(folder, 'config', file))
  }
  for (const [file, text] of Object.entries(files)) write(file, text)
  const logLines: string[] = []
  const log = createLog({
    process: 'control-plane',
    level: 'info',
    destination: { write: (line) => void logLines.push(line) },
  })
  const local = (port: number) => ({ host: '127.0.0.1', port })
  const running = await startControlPlane(
    {
      kubernetes: false,
      config: path.join(folder, 'config'),
      state: path.join(folder, 'state'),
      rootSecret: 'weft-root',
      issuerKey: options.issuer?.key,
      issuerCertificate: options.issuer?.certificate,
      trustBundle: options.issuer?.bundle,
      issuerSecret: undefined,
      grpcAddress: local(options.grpcPort ?? 0),
      insecureXdsAddress: local(options.insecurePort ?? 0),
      adminAddress: local(0),
      trustDomain: 'cluster.local',
      referenceGrants: options.referenceGrants ?? 'ignored',
      dnsNames: ['weft-control-plane'],
      leafLifetime: 86_400_000,
      logLevel: 'info',
    },
    log,
  )
  return { folder, running, logLines, write, stop: () => running.shutdown.run(5000) }
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}

/** Services of namespace `shop` on port 8080, each with endpoints on 127.0.0.1 at the given ports. */
export function servicesYaml(services: Readonly<Record<string, readonly number[]>>): string {
  return Object.entries(services)
    .flatMap(([name, ports]) => [
      `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}, namespace: shop}\nspec: {ports: [{name: api, port: 8080}]}\n`,
      ...ports.map(
        (port) =>
          `apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: ${name}-${port}, namespace: shop, labels: {kubernetes.io/service-name: ${name}}}\naddressType: IPv4\nports: [{name: api, port: ${port}}]\nendpoints: [{addresses: [127.0.0.1]}]\n`,
      ),
    ])
    .join('---\n')
}

export function splitYaml(weights: Readonly<Record<string, number>>): string {
  const backends = Object.entries(weights).map(
    ([service, weight]) => `{service: ${service}, weight: ${weight}}`,
  )
  return `apiVersion: split.smi-spec.io/v1alpha2\nkind: TrafficSplit\nmetadata: {name: catalog, namespace: shop}\nspec: {service: catalog, backends: [${backends.join(', ')}]}\n`
}

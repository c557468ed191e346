/**
 * A mesh in a real cluster: kubectl in front, an API server, a control plane with its own rights, the sidecar of `web`, and
 * in namespace `shop` the Services `catalog`, `catalog-v1` and `catalog-v2` with an application each. We are the kubelet.
 */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'vitest'
import { usedShare } from '../../cli/demo/sidecar-admin.ts'
import { ApiServer } from '../support/api-server.ts'
import { ClusterControlPlane, controlPlaneAccount } from '../support/cluster-control-plane.ts'
import { type HttpApplication, startHttpApplication } from '../support/http-application.ts'
import { HttpClient } from '../support/http-client.ts'
import { removeFolder } from '../support/running-control-plane.ts'
import { type SidecarProcess, startEnrolledSidecar } from '../support/sidecar-process.ts'
import { TcpGate } from '../support/tcp-gate.ts'

export const catalogUrl = 'http://catalog.shop:8080/'
const catalogIps = { catalog: '10.244.0.2', 'catalog-v1': '10.244.0.3', 'catalog-v2': '10.244.0.4' }
const crds = path.join(import.meta.dirname, '../../deploy/crds')

/** By its title, what each test shows. */
export type ShopTests = Readonly<Record<string, (shop: ClusterShop) => Promise<void>>>

/** The split of `catalog`. */
export function split(v1: number, v2: number): string {
  return `
apiVersion: split.smi-spec.io/v1alpha4
kind: TrafficSplit
metadata: {name: catalog, namespace: shop}
spec: {service: catalog, backends: [{service: catalog-v1, weight: ${v1}}, {service: catalog-v2, weight: ${v2}}]}
`
}

const beginning = `
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Node
metadata: {name: node-1, labels: {topology.kubernetes.io/zone: zone-a}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: shop}
`
const webPod = `
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {nodeName: node-1, serviceAccountName: web, containers: [{name: app, image: app}]}
`

/** A Service, and a pod behind it that is ready at `ip`. */
export async function deploy(server: ApiServer, name: string, ip: string, port: number): Promise<void> {
  await server.apply(`
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {selector: {app: ${name}}, ports: [{name: http, port: 8080, targetPort: ${port}}]}
---
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: shop, labels: {app: ${name}}}
spec: {nodeName: node-1, containers: [{name: app, image: app, ports: [{containerPort: ${port}}]}]}
`)
  await setPod(server, name, ip, 'True')
}

export async function setPod(
  server: ApiServer,
  name: string,
  ip: string,
  ready: 'True' | 'False',
): Promise<void> {
  const status = {
    phase: 'Running',
    podIP: ip,
    podIPs: [{ ip }],
    conditions: [{ type: 'Ready', status: ready }],
  }
  const patch = JSON.stringify({ status })
  await server.kubectl(['patch', 'pod', name, '-n', 'shop', '--subresource=status', '-p', patch])
}

/** A token of `web`; without an audience one for the API server. `options` of `kubectl create token`. */
export async function tokenFor(
  server: ApiServer,
  audience?: string,
  ...options: readonly string[]
): Promise<string> {
  const audiences = audience === undefined ? [] : ['--audience', audience]
  return (await server.kubectl(['create', 'token', 'web', '-n', 'shop', ...audiences, ...options])).trim()
}

/** Resolves when the API server serves the kinds of all of our CustomResourceDefinitions. */
export async function applyCrds(server: ApiServer): Promise<void> {
  await server.kubectl(['apply', '-f', crds])
  await server.kubectl(['wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all'])
}

async function startSidecar(
  server: ApiServer,
  { grpcPort }: ClusterControlPlane,
  folder: string,
): Promise<SidecarProcess> {
  const secret = await server.kubectl(['get', 'secret', '-n', 'weft', 'weft-root', '-o', 'json'])
  const { data } = JSON.parse(secret) as { readonly data: Readonly<Record<string, string>> }
  const caFile = path.join(folder, 'roots.pem')
  writeFileSync(caFile, Buffer.from(data['tls.crt'] as string, 'base64'))
  const tokenFile = path.join(folder, 'token')
  writeFileSync(tokenFile, await tokenFor(server, 'weft'), { mode: 0o600 })
  return startEnrolledSidecar({ grpcPort, caFile, tokenFile })
}

type Parts = Pick<ClusterShop, 'server' | 'kubeconfig' | 'gate' | 'apps' | 'plane' | 'sidecar'>

export class ClusterShop {
  readonly server: ApiServer
  /** Of the control plane's ServiceAccount. */
  readonly kubeconfig: string
  /** Between the control plane and the API server, where that is our own. */
  readonly gate: TcpGate | undefined
  readonly apps: Record<string, HttpApplication>
  readonly sidecar: SidecarProcess
  readonly client: HttpClient
  /** Another one once it was started anew. */
  plane: ClusterControlPlane
  readonly #folder: string

  private constructor(parts: Parts, folder: string) {
    this.server = parts.server
    this.kubeconfig = parts.kubeconfig
    this.gate = parts.gate
    this.apps = parts.apps
    this.plane = parts.plane
    this.sidecar = parts.sidecar
    this.client = new HttpClient(parts.sidecar.port)
    this.#folder = folder
  }

  /** Resolves when the sidecar takes requests. */
  static async start(): Promise<ClusterShop> {
    const folder = mkdtempSync(path.join(tmpdir(), 'weft-cluster-'))
    const server = await ApiServer.start()
    await server.apply(beginning)
    const apps: Record<string, HttpApplication> = {}
    for (const [name, ip] of Object.entries(catalogIps)) {
      const app = await startHttpApplication(name, undefined, ip)
      apps[name] = app
      await deploy(server, name, ip, app.port)
    }
    await server.apply(webPod)
    const gate = server.own ? await TcpGate.start(server.port) : undefined
    const kubeconfig = await controlPlaneAccount(server, folder, gate?.port)
    const plane = await ClusterControlPlane.start(kubeconfig)
    await plane.untilReady()
    const sidecar = await startSidecar(server, plane, folder)
    return new ClusterShop({ server, kubeconfig, gate, apps, plane, sidecar }, folder)
  }

  async stop(): Promise<void> {
    this.client.close()
    await this.sidecar.stop()
    await this.plane.stop()
    this.gate?.stop()
    for (const app of Object.values(this.apps)) await app.stop()
    await this.server.stop()
    removeFolder(this.#folder)
  }

  /** Per cent of catalog's requests that the sidecar would send to `catalog-v2`. */
  usedShare(): Promise<number | undefined> {
    return usedShare(this.sidecar.adminPort, 'catalog.shop:8080')
  }

  /** Gives how long it took, in ms. Without `withinMs`, whenever it is. */
  async untilShare(percent: number, withinMs = 15_000): Promise<number> {
    const begunMs = performance.now()
    await expect.poll(() => this.usedShare(), { timeout: withinMs, interval: 20 }).toBe(percent)
    return performance.now() - begunMs
  }
}

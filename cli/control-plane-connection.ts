/** How a command reaches the pages of the control plane: by its address, or through the API server of a cluster. */
import { existsSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { homedir } from 'node:os'
import path from 'node:path'
import type { Command } from 'commander'
import { controlPlaneName, weftNamespace } from '../api/deployment.ts'
import { ports } from '../api/ports.ts'
import { parseAddress } from '../core/address.ts'
import { systemClock } from '../core/clock.ts'
import { reasonOf, WeftError } from '../core/errors.ts'
import { KubernetesClient } from '../core/kubernetes/api-client.ts'
import type { KubernetesConnection } from '../core/kubernetes/connection.ts'
import { readKubeconfig } from '../core/kubernetes/kubeconfig.ts'

export type ConnectionOptions = {
  /** Of the admin server, given by the user. */
  readonly controlPlane?: string
  readonly kubeconfig?: string
}

/** One replica of the control plane, as HTTP reaches it. */
type Replica = {
  readonly name: string
  readonly base: URL
  readonly options: https.RequestOptions
}

type Environment = Readonly<Record<string, string | undefined>>

const defaultAddress = `127.0.0.1:${ports.controlPlaneAdmin}`
const timeoutMs = 5_000
const largestReplyBytes = 256 * 1024 * 1024

/** Adds `--control-plane` and `--kubeconfig`. */
export function withConnection(command: Command): Command {
  return command
    .option('--control-plane <address>', `its admin server (default: ${defaultAddress}, else by kubeconfig)`)
    .option('--kubeconfig <file>', 'reach the control plane through the API server that it names')
}

export class ControlPlaneConnection {
  readonly #replicas: readonly Replica[]

  constructor(replicas: readonly Replica[]) {
    this.#replicas = replicas
  }

  /** The JSON of a page, as the first replica has it. Rejects with CONTROL_PLANE_UNREACHABLE. */
  getJson<T>(page: string): Promise<T> {
    return ask<T>(this.#replicas[0] as Replica, page)
  }

  /** The JSON of a page from every replica: what sidecars report, each has of those that are connected to it. */
  getJsonOfAll<T>(page: string): Promise<readonly T[]> {
    return Promise.all(this.#replicas.map((replica) => ask<T>(replica, page)))
  }

  /**
   * Calls `onLine` with each line of a page that does not end, of all replicas, until `signal` ends it. Rejects with
   * CONTROL_PLANE_UNREACHABLE when one breaks off, CONTROL_PLANE_REFUSED when it is not allowed.
   */
  async stream(page: string, signal: AbortSignal, onLine: (line: string) => void): Promise<void> {
    await Promise.all(this.#replicas.map((replica) => follow(replica, page, signal, onLine)))
  }
}

/**
 * By `--control-plane`, else `--kubeconfig`, else what answers on this machine (a control plane, the demo), else KUBECONFIG
 * or ~/.kube/config. Rejects with CONFIG_INVALID, CONTROL_PLANE_UNREACHABLE, or what the API server refuses.
 */
export async function connectToControlPlane(
  { controlPlane, kubeconfig }: ConnectionOptions,
  env: Environment = process.env,
): Promise<ControlPlaneConnection> {
  if (controlPlane !== undefined) return new ControlPlaneConnection([direct(controlPlane)])
  if (kubeconfig !== undefined) return throughApiServer([kubeconfig])
  const here = direct(defaultAddress)
  if (await answers(here)) return new ControlPlaneConnection([here])
  const files = kubeconfigFiles(env)
  if (files.length > 0) return throughApiServer(files)
  throw unreachable(defaultAddress, 'nothing listens there, and there is no kubeconfig')
}

function kubeconfigFiles(env: Environment): readonly string[] {
  const named = (env['KUBECONFIG'] ?? '').split(path.delimiter).filter((file) => file !== '')
  if (named.length > 0) return named
  const usual = path.join(homedir(), '.kube', 'config')
  return existsSync(usual) ? [usual] : []
}

function direct(address: string): Replica {
  if (parseAddress(address) === undefined)
    throw new WeftError('CONFIG_INVALID', `--control-plane: '${address}' is not like ${defaultAddress}`)
  const authority = address.startsWith(':') ? `127.0.0.1${address}` : address
  return { name: authority, base: new URL(`http://${authority}`), options: {} }
}

async function answers(replica: Replica): Promise<boolean> {
  try {
    await open(replica, '/live', AbortSignal.timeout(1_000)).then((response) => response.resume())
    return true
  } catch {
    // Nobody there: there are other ways.
    return false
  }
}

async function throughApiServer(files: readonly string[]): Promise<ControlPlaneConnection> {
  const connection = readKubeconfig(files)
  const client = new KubernetesClient(connection, systemClock, timeoutMs)
  const selector = encodeURIComponent(`app.kubernetes.io/name=${controlPlaneName}`)
  const pods = `/api/v1/namespaces/${weftNamespace}/pods`
  const { status, body } = await client.request('GET', `${pods}?labelSelector=${selector}`)
  client.close()
  if (status === 401 || status === 403)
    throw new WeftError('KUBERNETES_REFUSED', `listing the pods of ${weftNamespace}: ${status}`)
  if (status !== 200)
    throw new WeftError('KUBERNETES_FAILED', `listing the pods of ${weftNamespace}: ${status}`)
  const { items } = body as { items: { metadata: { name: string }; status?: { phase?: string } }[] }
  const running = items.filter((pod) => pod.status?.phase === 'Running').map((pod) => pod.metadata.name)
  if (running.length === 0) throw unreachable('the cluster', `no pod of ${controlPlaneName} runs`)
  return new ControlPlaneConnection(
    running.map((pod) => proxied(connection, pod, `${pods}/${pod}:${ports.controlPlaneAdmin}/proxy`)),
  )
}

/** The pod proxy of the API server asks who we are, and then asks the pod. */
function proxied(connection: KubernetesConnection, name: string, proxyPath: string): Replica {
  const { server, ca, certificate, serverName, verify, token } = connection
  const bearer = token()
  return {
    name,
    base: new URL(server.pathname.replace(/\/$/, '') + proxyPath, server),
    options: {
      rejectUnauthorized: verify,
      ...(ca === undefined ? {} : { ca }),
      ...(serverName === undefined ? {} : { servername: serverName }),
      ...certificate,
      headers: bearer === undefined ? {} : { authorization: `Bearer ${bearer}` },
    },
  }
}

function open(replica: Replica, page: string, signal: AbortSignal): Promise<http.IncomingMessage> {
  const { base, options } = replica
  const url = new URL(base.pathname.replace(/\/$/, '') + page, base)
  const { request } = url.protocol === 'https:' ? https : http
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { ...options, agent: false, signal }, resolve)
    outgoing.on('error', reject)
    outgoing.end()
  })
}

async function ask<T>(replica: Replica, page: string): Promise<T> {
  try {
    const response = await open(replica, page, AbortSignal.timeout(timeoutMs))
    const text = await readText(response)
    if (response.statusCode !== 200) throw new Error(`it answered ${response.statusCode}: ${text.trim()}`)
    return JSON.parse(text) as T
  } catch (error) {
    throw unreachable(replica.name, error)
  }
}

async function follow(
  replica: Replica,
  page: string,
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<void> {
  try {
    const response = await open(replica, page, signal)
    if (response.statusCode !== 200) {
      const text = (await readText(response)).trim()
      if (response.statusCode === 403) throw new WeftError('CONTROL_PLANE_REFUSED', text)
      throw new Error(`it answered ${response.statusCode}: ${text}`)
    }
    let rest = ''
    response.setEncoding('utf8')
    for await (const piece of response as AsyncIterable<string>) {
      const lines = (rest + piece).split('\n')
      rest = lines.pop() as string
      for (const line of lines) if (line !== '') onLine(line)
    }
    throw new Error('it ended the stream')
  } catch (error) {
    if (signal.aborted) return
    throw error instanceof WeftError ? error : unreachable(replica.name, error)
  }
}

async function readText(response: http.IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length
    if (bytes > largestReplyBytes) throw new Error(`the reply is larger than ${largestReplyBytes} bytes`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

function unreachable(name: string, cause: unknown): WeftError {
  return new WeftError('CONTROL_PLANE_UNREACHABLE', `the control plane at ${name}: ${reasonOf(cause)}`, {
    cause,
  })
}

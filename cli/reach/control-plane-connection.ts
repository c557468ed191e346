/** How a command reaches the pages of the control plane: by its address, or through the API server of a cluster. */
import http from 'node:http'
import https from 'node:https'
import { weftNamespace } from '../../api/deployment.ts'
import { ports } from '../../api/ports.ts'
import { parseAddress } from '../../core/address.ts'
import { systemClock } from '../../core/clock.ts'
import { reasonOf, WeftError } from '../../core/errors.ts'
import type { KubernetesConnection } from '../../core/kubernetes/connection.ts'
import type { Credential } from '../../core/kubernetes/credential-plugin.ts'
import { readResponse } from '../../core/read-response.ts'
import { controlPlanePods } from './cluster-access.ts'
import { type ConnectionOptions, usualAddress } from './connection-options.ts'
import { findMesh } from './open-access.ts'

/** One replica of the control plane, as HTTP reaches it. */
type Replica = {
  readonly name: string
  readonly base: URL
  readonly options: https.RequestOptions
}

const timeoutMs = 5_000
const largestReplyBytes = 256 * 1024 * 1024

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
 * To the mesh that `findMesh` finds. Rejects with CONFIG_INVALID, CONTROL_PLANE_UNREACHABLE, or what the API server
 * refuses.
 */
export async function connectToControlPlane(options: ConnectionOptions): Promise<ControlPlaneConnection> {
  const where = await findMesh(options)
  if (where.kind === 'address') return new ControlPlaneConnection([direct(where.address)])
  try {
    return await throughApiServer(where.connection, await controlPlanePods(where.api))
  } finally {
    where.api.close()
  }
}

function direct(address: string): Replica {
  if (parseAddress(address) === undefined)
    throw new WeftError('CONFIG_INVALID', `--control-plane: '${address}' is not like ${usualAddress}`)
  const authority = address.startsWith(':') ? `127.0.0.1${address}` : address
  return { name: authority, base: new URL(`http://${authority}`), options: {} }
}

async function throughApiServer(
  connection: KubernetesConnection,
  pods: readonly string[],
): Promise<ControlPlaneConnection> {
  const credential = await connection.plugin?.credential(systemClock)
  return new ControlPlaneConnection(pods.map((pod) => proxied(connection, credential, pod)))
}

/** The pod proxy of the API server asks who we are, and then asks the pod. */
function proxied(connection: KubernetesConnection, credential: Credential | undefined, pod: string): Replica {
  const { server, ca, certificate, serverName, verify, token } = connection
  const bearer = credential === undefined ? token() : credential.token
  const path = `/api/v1/namespaces/${weftNamespace}/pods/${pod}:${ports.controlPlaneAdmin}/proxy`
  return {
    name: pod,
    base: new URL(server.pathname.replace(/\/$/, '') + path, server),
    options: {
      rejectUnauthorized: verify,
      ...(ca === undefined ? {} : { ca }),
      ...(serverName === undefined ? {} : { servername: serverName }),
      ...certificate,
      ...credential?.certificate,
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
    const text = await readResponse(response, largestReplyBytes)
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
      const text = (await readResponse(response, largestReplyBytes)).trim()
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

function unreachable(name: string, cause: unknown): WeftError {
  return new WeftError('CONTROL_PLANE_UNREACHABLE', `the control plane at ${name}: ${reasonOf(cause)}`, {
    cause,
  })
}

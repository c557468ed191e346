/** How a command reaches the pages of the control plane: by its address, or through the API server of a cluster. */
import http, { type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { parseAddress } from '../../core/address.ts'
import { reasonOf, WeftError } from '../../core/errors.ts'
import type { KubernetesClient } from '../../core/kubernetes/api-client.ts'
import { statusMessage } from '../../core/kubernetes/api-failure.ts'
import { tapTokenHeader } from '../../api/token.ts'
import { readResponse } from '../../core/read-response.ts'
import { controlPlanePods, podPage } from './cluster-access.ts'
import { type ConnectionOptions, usualAddress } from './connection-options.ts'
import { findMesh } from './open-access.ts'
import { tapToken, usualTapAccount } from './tap-token.ts'

/** One replica of the control plane, as HTTP reaches it. */
export type Replica = {
  readonly name: string
  readonly open: (page: string, signal: AbortSignal, headers: OutgoingHttpHeaders) => Promise<IncomingMessage>
}

const timeoutMs = 5_000
const largestReplyBytes = 256 * 1024 * 1024

export class ControlPlaneConnection {
  readonly #find: () => Promise<readonly Replica[]>
  /** Makes a token for a tap; undefined: none is asked for. */
  readonly #tapToken: (() => Promise<string>) | undefined
  #found: Promise<readonly Replica[]> | undefined

  /** `find` rejects when there is no replica; it is called again once one did not answer. */
  constructor(find: () => Promise<readonly Replica[]>, tapToken?: () => Promise<string>) {
    this.#find = find
    this.#tapToken = tapToken
  }

  /** The JSON of a page from every replica: what sidecars report, each has of those that are connected to it. */
  getJsonOfAll<T>(page: string, signal?: AbortSignal): Promise<readonly T[]> {
    return this.#with((replicas) => Promise.all(replicas.map((replica) => ask<T>(replica, page, signal))))
  }

  /** A page as the first replica serves it, until `signal` ends it. Rejects with CONTROL_PLANE_UNREACHABLE. */
  open(page: string, signal: AbortSignal): Promise<IncomingMessage> {
    return this.#with(async ([first]) => {
      const { name, open } = first as Replica
      try {
        return await open(page, signal, {})
      } catch (error) {
        throw unreachable(name, error)
      }
    })
  }

  /** Finds the replicas, if that was not done yet. Rejects with CONTROL_PLANE_UNREACHABLE, or what the API server refuses. */
  replicas(): Promise<readonly Replica[]> {
    return this.#with((replicas) => Promise.resolve(replicas))
  }

  /** Pods come and go while a command looks: after a failure they are listed anew. */
  async #with<T>(use: (replicas: readonly Replica[]) => Promise<T>): Promise<T> {
    this.#found ??= this.#find()
    const found = this.#found
    try {
      return await use(await found)
    } catch (error) {
      if (this.#found === found) this.#found = undefined
      throw error
    }
  }

  /**
   * Calls `onLine` with each line of a tap, of all replicas, until `signal` ends it; `onOpen` once all have begun. Rejects
   * with CONTROL_PLANE_UNREACHABLE when one breaks off, TAP_REFUSED when it is not allowed, CONFIG_INVALID for a query
   * that is not understood.
   */
  async tap(
    page: string,
    signal: AbortSignal,
    onLine: (line: string) => void,
    onOpen: () => void = () => undefined,
  ): Promise<void> {
    const token = await this.#tapToken?.()
    const headers = token === undefined ? {} : { [tapTokenHeader]: token }
    const broken = new AbortController()
    const both = AbortSignal.any([signal, broken.signal])
    await this.#with(async (replicas) => {
      let waiting = replicas.length
      const all = Promise.withResolvers<void>()
      /** Nothing is shown before each of them has allowed it. */
      const onBegin = (): Promise<void> => {
        if (--waiting > 0) return all.promise
        onOpen()
        all.resolve()
        return all.promise
      }
      try {
        await Promise.all(replicas.map((replica) => follow(replica, page, headers, both, onLine, onBegin)))
      } finally {
        // Where one is away the others are let go of, too.
        broken.abort()
      }
    })
  }
}

/**
 * To the mesh that `findMesh` finds; in a cluster taps are those of ServiceAccount `tapAccount`. Rejects with
 * CONFIG_INVALID, CONTROL_PLANE_UNREACHABLE, or what the API server refuses.
 */
export async function connectToControlPlane(
  options: ConnectionOptions,
  tapAccount = usualTapAccount,
): Promise<ControlPlaneConnection> {
  const where = await findMesh(options)
  if (where.kind === 'cluster') return connectThroughApiServer(where.api, tapAccount)
  const replica = direct(where.address)
  return new ControlPlaneConnection(() => Promise.resolve([replica]))
}

/** Rejects with CONTROL_PLANE_UNREACHABLE, or what the API server refuses. */
export async function connectThroughApiServer(
  api: KubernetesClient,
  tapAccount: string,
): Promise<ControlPlaneConnection> {
  // The API server's proxy asks who we are, and then asks the pod.
  const replicaOf = (name: string): Replica => ({
    name,
    open: (page, signal, headers) => api.open(podPage(name, page), signal, headers),
  })
  const find = async () => (await controlPlanePods(api)).map(replicaOf)
  const connection = new ControlPlaneConnection(find, () => tapToken(api, tapAccount))
  await connection.replicas()
  return connection
}

function direct(address: string): Replica {
  if (parseAddress(address) === undefined)
    throw new WeftError('CONFIG_INVALID', `--control-plane: '${address}' is not like ${usualAddress}`)
  const authority = address.startsWith(':') ? `127.0.0.1${address}` : address
  return {
    name: authority,
    open: (page, signal, headers) =>
      new Promise((resolve, reject) => {
        const request = http.get(`http://${authority}${page}`, { headers, agent: false, signal }, resolve)
        request.on('error', reject)
      }),
  }
}

async function ask<T>(replica: Replica, page: string, signal?: AbortSignal): Promise<T> {
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    const response = await replica.open(
      page,
      signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      {},
    )
    const text = await readResponse(response, largestReplyBytes)
    if (response.statusCode !== 200) throw refusedPage(response.statusCode ?? 0, text)
    return JSON.parse(text) as T
  } catch (error) {
    throw unreachable(replica.name, timeout.aborted ? new Error(`no answer within ${timeoutMs} ms`) : error)
  }
}

async function follow(
  replica: Replica,
  page: string,
  headers: OutgoingHttpHeaders,
  signal: AbortSignal,
  onLine: (line: string) => void,
  onBegin: () => Promise<void>,
): Promise<void> {
  try {
    const response = await replica.open(page, signal, headers)
    if (response.statusCode !== 200) throw await refusedTap(response)
    await onBegin()
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

function refusedPage(status: number, text: string): Error {
  const said = saidIn(text)
  // The control plane shows its pages to everybody: it is the API server that refuses.
  if (status === 401 || status === 403) return new WeftError('KUBERNETES_REFUSED', said)
  return new Error(`it answered ${status}: ${said}`)
}

async function refusedTap(response: IncomingMessage): Promise<Error> {
  const said = saidIn(await readResponse(response, largestReplyBytes))
  switch (response.statusCode) {
    case 400:
      return new WeftError('CONFIG_INVALID', said)
    case 401:
    case 403:
      return new WeftError('TAP_REFUSED', said)
    default:
      return new Error(`it answered ${response.statusCode}: ${said}`)
  }
}

/** The API server answers for itself with a Status. */
function saidIn(text: string): string {
  try {
    return statusMessage(JSON.parse(text)) ?? text.trim()
  } catch {
    return text.trim()
  }
}

function unreachable(name: string, cause: unknown): WeftError {
  if (cause instanceof WeftError) return cause
  return new WeftError('CONTROL_PLANE_UNREACHABLE', `the control plane at ${name}: ${reasonOf(cause)}`, {
    cause,
  })
}

/**
 * Credentials from a program, as a kubeconfig's `exec` names it (client.authentication.k8s.io/v1): kept until they expire or
 * the API server takes them no longer. https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 */
import { execFile } from 'node:child_process'
import type { Clock } from '../clock.ts'
import { reasonOf, systemCodeOf, WeftError } from '../errors.ts'

export type Credential = {
  readonly token: string | undefined
  readonly certificate: { readonly cert: string; readonly key: string } | undefined
}

/** What the kubeconfig says of the program. */
export type PluginCommand = {
  /** A name to be found in PATH, or a path. */
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** For people who have not got the program. */
  readonly installHint: string | undefined
  /** The cluster, where the program asks to be told of it. */
  readonly cluster: object | undefined
}

type Held = { readonly credential: Credential; readonly expiresAtMs: number }

export const credentialVersion = 'client.authentication.k8s.io/v1'
const answerTimeoutMs = 60_000
const largestAnswerBytes = 1024 * 1024
const longestComplaint = 500

export class CredentialPlugin {
  readonly #plugin: PluginCommand
  #held: Held | undefined
  #running: Promise<Held> | undefined

  constructor(plugin: PluginCommand) {
    this.#plugin = plugin
  }

  /** The one that is held, or a new one; who asks meanwhile waits for the same. Rejects with KUBERNETES_REFUSED. */
  async credential(clock: Clock): Promise<Credential> {
    if (this.#held !== undefined && clock.wallMs() < this.#held.expiresAtMs) return this.#held.credential
    this.#running ??= run(this.#plugin).finally(() => {
      this.#running = undefined
    })
    this.#held = await this.#running
    return this.#held.credential
  }

  /** The API server refuses `used`: it is not used again. A newer one stays. */
  forget(used: Credential): void {
    if (this.#held?.credential === used) this.#held = undefined
  }
}

function refused(problem: string, cause?: unknown): WeftError {
  return new WeftError('KUBERNETES_REFUSED', problem, { cause })
}

function run(plugin: PluginCommand): Promise<Held> {
  const { command, args, env, cluster } = plugin
  const spec = { interactive: false, ...(cluster === undefined ? {} : { cluster }) }
  const asked = JSON.stringify({ apiVersion: credentialVersion, kind: 'ExecCredential', spec })
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      args,
      {
        env: { ...process.env, ...env, KUBERNETES_EXEC_INFO: asked },
        timeout: answerTimeoutMs,
        maxBuffer: largestAnswerBytes,
      },
      (error, stdout, stderr) => {
        try {
          if (error !== null) throw failureOf(plugin, error, stderr)
          resolve(readCredential(command, stdout))
        } catch (failure) {
          reject(failure as Error)
        }
      },
    )
    // Nobody is there to be asked: it reads the end at once.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end()
  })
}

function failureOf({ command, installHint }: PluginCommand, error: Error, stderr: string): WeftError {
  if (systemCodeOf(error) === 'ENOENT') {
    const hint = installHint === undefined ? '' : `: ${installHint}`
    return refused(`the credential plugin '${command}' is not installed${hint}`, error)
  }
  const complaint = stderr.trim().slice(0, longestComplaint)
  return refused(`the credential plugin '${command}' failed: ${complaint || reasonOf(error)}`, error)
}

type Answer = {
  readonly apiVersion?: unknown
  readonly kind?: unknown
  readonly status?: Readonly<Record<string, unknown>> | null
}

/** What it prints may hold secrets, and is never part of a message. */
function readCredential(command: string, stdout: string): Held {
  const invalid = (problem: string) => refused(`the credential plugin '${command}' ${problem}`)
  let answer: Answer | null
  try {
    answer = JSON.parse(stdout) as Answer | null
  } catch {
    throw invalid('printed no JSON')
  }
  if (answer?.kind !== 'ExecCredential' || answer.apiVersion !== credentialVersion)
    throw invalid(`printed no ExecCredential of ${credentialVersion}`)
  const { token, clientCertificateData, clientKeyData, expirationTimestamp } = answer.status ?? {}
  const expiresAtMs = expirationOf(expirationTimestamp)
  if (Number.isNaN(expiresAtMs)) throw invalid('gave an expirationTimestamp that is no time')
  const certificate =
    isText(clientCertificateData) && isText(clientKeyData)
      ? { cert: clientCertificateData, key: clientKeyData }
      : undefined
  if (certificate === undefined && (isText(clientCertificateData) || isText(clientKeyData)))
    throw invalid('gave a client certificate or its key, not both')
  if (!isText(token) && certificate === undefined) throw invalid('gave neither a token nor a certificate')
  return { credential: { token: isText(token) ? token : undefined, certificate }, expiresAtMs }
}

/** NaN: it is no time. */
function expirationOf(time: unknown): number {
  if (time === undefined || time === null) return Number.POSITIVE_INFINITY
  return typeof time === 'string' ? Date.parse(time) : Number.NaN
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

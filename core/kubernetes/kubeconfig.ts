/** kubeconfig files -> a connection, for what a control plane needs: certificates, tokens, and programs that give them. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parse } from 'yaml'
import { reasonOf, WeftError } from '../errors.ts'
import type { KubernetesConnection } from './connection.ts'
import { CredentialPlugin, credentialVersion } from './credential-plugin.ts'

type Fields = Readonly<Record<string, unknown>>
/** An entry's fields, and the folder that its file names are relative to. */
type Entry = { readonly fields: Fields; readonly folder: string }
type Kubeconfig = { readonly content: Fields; readonly folder: string }

function invalid(problem: string, cause?: unknown): WeftError {
  return new WeftError('CONFIG_INVALID', 'the kubeconfig is not usable', { detail: [problem], cause })
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function text(fields: Fields, key: string): string | undefined {
  const value = fields[key]
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string') throw invalid(`${key} must be a string`)
  return value
}

function readOne(file: string): Kubeconfig {
  let content: unknown
  try {
    content = parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw invalid(`${file}: ${reasonOf(error)}`, error)
  }
  if (!isFields(content)) throw invalid(`${file} is not a kubeconfig`)
  return { content, folder: path.dirname(path.resolve(file)) }
}

/** The first entry of that name, as with kubectl. */
function find(configs: readonly Kubeconfig[], list: string, inner: string, name: string): Entry {
  for (const { content, folder } of configs) {
    const entries = Array.isArray(content[list]) ? (content[list] as unknown[]) : []
    const entry = entries.filter(isFields).find((candidate) => candidate['name'] === name)
    const fields = entry?.[inner]
    if (isFields(fields)) return { fields, folder }
  }
  throw invalid(`there is no ${inner} '${name}'`)
}

/** The content of `key`, or of the file that it names, or what is inline in base64. */
function pem({ fields, folder }: Entry, key: string): string | undefined {
  const data = text(fields, `${key}-data`)
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8')
  const file = text(fields, key)
  return file === undefined ? undefined : readFile(path.resolve(folder, file))
}

function readFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new WeftError('FILE_UNREADABLE', reasonOf(error), { cause: error })
  }
}

function tokenOf({ fields, folder }: Entry): () => string | undefined {
  const file = text(fields, 'tokenFile')
  if (file !== undefined) return () => readFile(path.resolve(folder, file)).trim()
  const token = text(fields, 'token')
  return () => token
}

function certificateOf(user: Entry): KubernetesConnection['certificate'] {
  const [cert, key] = [pem(user, 'client-certificate'), pem(user, 'client-key')]
  if ((cert === undefined) !== (key === undefined))
    throw invalid('a client certificate and its key go together')
  return cert === undefined || key === undefined ? undefined : { cert, key }
}

/** A path is relative to the kubeconfig, a name is looked for in PATH. */
function commandOf(exec: Fields, folder: string): string {
  const command = text(exec, 'command')
  if (command === undefined) throw invalid('exec has no command')
  return command.includes('/') ? path.resolve(folder, command) : command
}

function argumentsOf({ args = [] }: Fields): readonly string[] {
  if (!Array.isArray(args) || !args.every((one) => typeof one === 'string'))
    throw invalid('the args of exec must be strings')
  return args
}

function environmentOf({ env }: Fields): Readonly<Record<string, string>> {
  const entries = Array.isArray(env) ? (env as unknown[]) : []
  return Object.fromEntries(
    entries.map((entry) => {
      const fields = isFields(entry) ? entry : {}
      const name = text(fields, 'name')
      if (name === undefined) throw invalid('the env of exec must have names')
      return [name, text(fields, 'value') ?? '']
    }),
  )
}

/** What a program that asks for it is told of the cluster. */
function clusterInfo(cluster: Entry): object {
  const ca = pem(cluster, 'certificate-authority')
  const [server, serverName] = [text(cluster.fields, 'server'), text(cluster.fields, 'tls-server-name')]
  return {
    server,
    ...(serverName === undefined ? {} : { 'tls-server-name': serverName }),
    ...(ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') }),
    ...(cluster.fields['insecure-skip-tls-verify'] === true ? { 'insecure-skip-tls-verify': true } : {}),
  }
}

function pluginOf(user: Entry, cluster: Entry): Pick<KubernetesConnection, 'plugin'> {
  const { exec } = user.fields
  if (exec === undefined || exec === null) return {}
  if (!isFields(exec)) throw invalid('exec must be an object')
  if (exec['apiVersion'] !== credentialVersion)
    throw invalid(`exec must be of ${credentialVersion}, not ${String(exec['apiVersion'])}`)
  if (exec['interactiveMode'] === 'Always')
    throw invalid('exec with interactiveMode Always needs a person, and there is none')
  const plugin = new CredentialPlugin({
    command: commandOf(exec, user.folder),
    args: argumentsOf(exec),
    env: environmentOf(exec),
    installHint: text(exec, 'installHint'),
    cluster: exec['provideClusterInfo'] === true ? clusterInfo(cluster) : undefined,
  })
  return { plugin }
}

/** Reads the current context of the files. Throws CONFIG_INVALID, or FILE_UNREADABLE. */
export function readKubeconfig(files: readonly string[]): KubernetesConnection {
  const configs = files.map(readOne)
  const current = configs.map(({ content }) => text(content, 'current-context')).find(Boolean)
  if (current === undefined) throw invalid('it has no current-context')
  const context = find(configs, 'contexts', 'context', current).fields
  const cluster = find(configs, 'clusters', 'cluster', text(context, 'cluster') ?? '')
  const user = find(configs, 'users', 'user', text(context, 'user') ?? '')
  if (user.fields['auth-provider'] !== undefined)
    throw invalid('auth-provider is not supported; give the user a certificate, a token or exec')
  const server = URL.parse(text(cluster.fields, 'server') ?? '')
  if (server === null) throw invalid('the server must be a URL')
  return {
    server,
    ca: pem(cluster, 'certificate-authority'),
    certificate: certificateOf(user),
    verify: cluster.fields['insecure-skip-tls-verify'] !== true,
    serverName: text(cluster.fields, 'tls-server-name'),
    token: tokenOf(user),
    ...pluginOf(user, cluster),
  }
}

/** The root in a Secret of the cluster, so that every replica signs with the same key. */
import type { Clock } from '../../core/clock.ts'
import { WeftError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { KubernetesClient } from '../../core/kubernetes/api-client.ts'
import { failureOf } from '../../core/kubernetes/api-failure.ts'
import { loadRoot, makeRoot, type Root, type RootPem } from './root.ts'

/** As of type kubernetes.io/tls, which other tools can make, too. */
const keyField = 'tls.key'
const certificateField = 'tls.crt'
/** More replicas than that never start at the same moment. */
const attempts = 10

export type SecretName = { readonly namespace: string; readonly name: string }

type Secret = {
  readonly metadata?: { readonly resourceVersion?: unknown }
  readonly data?: Readonly<Record<string, unknown>> | null
}

function field(secret: Secret, name: string): string | undefined {
  const value = secret.data?.[name]
  return typeof value === 'string' && value !== '' ? Buffer.from(value, 'base64').toString('utf8') : undefined
}

function readPem(secret: Secret, where: string): RootPem | undefined {
  const [keyPem, certificatePem] = [field(secret, keyField), field(secret, certificateField)]
  if (keyPem === undefined && certificatePem === undefined) return undefined
  if (keyPem === undefined || certificatePem === undefined)
    throw new WeftError('STATE_FILE_INVALID', `${where} must have both ${keyField} and ${certificateField}`)
  return { keyPem, certificatePem }
}

function encode({ keyPem, certificatePem }: RootPem): Readonly<Record<string, string>> {
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  return { [keyField]: base64(keyPem), [certificateField]: base64(certificatePem) }
}

/** Makes the Secret, or fills an empty one as it was read: of several replicas, only one succeeds. */
async function write(
  client: KubernetesClient,
  { namespace, name }: SecretName,
  found: Secret | undefined,
  pem: RootPem,
): Promise<boolean> {
  const path = `/api/v1/namespaces/${namespace}/secrets`
  const fresh = {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { namespace, name },
    data: encode(pem),
  }
  const reply =
    found === undefined
      ? await client.request('POST', path, fresh)
      : await client.request('PUT', `${path}/${name}`, { ...found, data: { ...found.data, ...encode(pem) } })
  if (reply.status === 409) return false
  if (reply.status !== 200 && reply.status !== 201) throw failureOf(reply, `writing Secret ${name}`)
  return true
}

/**
 * Reads the root from the Secret, or makes it there. A Secret that is there without a root is filled, so that who may
 * update that one only needs no right to make others. Throws a KUBERNETES_ code, STATE_FILE_INVALID or CA_EXPIRED.
 */
export async function openRootSecret(options: {
  readonly client: KubernetesClient
  readonly secret: SecretName
  readonly trustDomain: string
  readonly clock: Clock
  readonly log: Log
}): Promise<Root> {
  const { client, secret, trustDomain, clock, log } = options
  const where = `Secret ${secret.namespace}/${secret.name}`
  const names = { key: `${keyField} of ${where}`, certificate: `${certificateField} of ${where}` }
  for (let attempt = 0; attempt < attempts; attempt++) {
    const reply = await client.request('GET', `/api/v1/namespaces/${secret.namespace}/secrets/${secret.name}`)
    if (reply.status !== 200 && reply.status !== 404) throw failureOf(reply, `reading ${where}`)
    const found = reply.status === 404 ? undefined : (reply.body as Secret)
    const kept = found === undefined ? undefined : readPem(found, where)
    if (kept !== undefined) return loadRoot(kept, names, trustDomain, clock)
    const made = await makeRoot(trustDomain, clock)
    // Another replica was first: what it made counts.
    if (!(await write(client, secret, found, made))) continue
    log.info({ secret: where }, 'made a new root')
    return loadRoot(made, names, trustDomain, clock)
  }
  throw new WeftError('KUBERNETES_FAILED', `${where} changes all the time`)
}

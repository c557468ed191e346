/** The few objects of an API server that the injector reads and writes, over HTTP, with optimistic locking. For tests. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { trustBundleKey } from '../api/deployment.ts'

type Stored = { metadata: { resourceVersion?: string; [field: string]: unknown }; [field: string]: unknown }

export const configurationPath =
  '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/weft-injector'
const crdPath = (name: string): string => `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`
const bundlePath = '/api/v1/namespaces/weft/configmaps/weft-trust-bundle'

export class TestApiServer {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'weft-injector-'))
  readonly objects = new Map<string, Stored>()
  readonly requests: string[] = []
  /** What is done before a write is judged: somebody else's write in between. */
  beforeWrite: (() => void) | undefined
  readonly #server: Server
  #version = 1

  private constructor() {
    this.#server = createServer((request, response) => {
      void text(request).then((body) => {
        this.requests.push(`${request.method} ${request.url}`)
        const { status, object } = this.#answer(request.method ?? '', request.url ?? '', body)
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(object))
      })
    })
  }

  static async start(): Promise<TestApiServer> {
    const api = new TestApiServer()
    await new Promise<void>((resolve) => void api.#server.listen(0, '127.0.0.1', resolve))
    api.put(configurationPath, { metadata: {}, webhooks: [{ name: 'inject.weft.dev', clientConfig: {} }] })
    api.put(bundlePath, {
      metadata: {},
      data: { [trustBundleKey]: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n' },
    })
    api.namespace('shop', { 'weft.dev/inject': 'enabled' })
    return api
  }

  get kubeconfig(): string {
    const file = path.join(this.folder, 'kubeconfig')
    const { port } = this.#server.address() as AddressInfo
    const config = {
      'current-context': 'test',
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      clusters: [{ name: 'test', cluster: { server: `http://127.0.0.1:${port}` } }],
      users: [{ name: 'test', user: { token: 'secret' } }],
    }
    writeFileSync(file, JSON.stringify(config))
    return file
  }

  put(at: string, object: Stored): void {
    const metadata = { ...object.metadata, resourceVersion: String(this.#version++) }
    this.objects.set(at, { ...object, metadata })
  }

  namespace(name: string, annotations: Readonly<Record<string, string>>): void {
    this.put(`/api/v1/namespaces/${name}`, { metadata: { name, annotations } })
  }

  /** A CustomResourceDefinition that has its versions converted by `service`. */
  crd(name: string, service: { readonly name: string; readonly namespace: string }): void {
    const conversion = { strategy: 'Webhook', webhook: { clientConfig: { service } } }
    this.put(crdPath(name), { metadata: { name }, spec: { group: 'smi', conversion } })
  }

  /** The certificates that the API server would trust the webhook by. */
  get caBundle(): string {
    const { webhooks } = this.objects.get(configurationPath) as unknown as {
      webhooks: { clientConfig: { caBundle?: string } }[]
    }
    const [webhook] = webhooks
    return Buffer.from(webhook?.clientConfig.caBundle ?? '', 'base64').toString()
  }

  /** Those that it would trust whoever converts for a CustomResourceDefinition by. */
  conversionBundle(crd: string): string {
    const { spec } = this.objects.get(crdPath(crd)) as unknown as {
      spec: { conversion: { webhook: { clientConfig: { caBundle?: string } } } }
    }
    return Buffer.from(spec.conversion.webhook.clientConfig.caBundle ?? '', 'base64').toString()
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
    rmSync(this.folder, { recursive: true })
  }

  #answer(method: string, url: string, body: string): { status: number; object: object } {
    const failure = (status: number) => ({ status, object: { kind: 'Status', message: `${status} ${url}` } })
    if (!this.objects.has(url)) return failure(404)
    if (method === 'PUT') {
      this.beforeWrite?.()
      const written = JSON.parse(body) as Stored
      const current = this.objects.get(url)?.metadata.resourceVersion
      if (written.metadata.resourceVersion !== current) return failure(409)
      this.put(url, written)
    }
    return { status: 200, object: this.objects.get(url) as Stored }
  }
}

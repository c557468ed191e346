/** The API server as the test asks it: as an administrator, with JSON. */
import { systemClock } from '../../../core/clock.ts'
import { type ApiMethod, KubernetesClient } from '../../../core/kubernetes/api-client.ts'
import { readKubeconfig } from '../../../core/kubernetes/kubeconfig.ts'

export class ClusterApi {
  readonly #client: KubernetesClient
  readonly port: number

  constructor(kubeconfig: string) {
    const connection = readKubeconfig([kubeconfig])
    this.port = Number(connection.server.port)
    this.#client = new KubernetesClient(connection, systemClock)
  }

  /** Rejects with what the API server says when it refuses. */
  async call<T>(method: ApiMethod, path: string, body?: object): Promise<T> {
    const { status, body: reply } = await this.#client.request(method, path, body)
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(reply)}`)
    return reply as T
  }

  async list<T>(path: string): Promise<readonly T[]> {
    return (await this.call<{ readonly items: readonly T[] }>('GET', path)).items
  }

  close(): void {
    this.#client.close()
  }
}

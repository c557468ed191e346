/** Reads a sidecar's admin pages. */
import http from 'node:http'

const agent = new http.Agent({ keepAlive: true })
const answerTimeoutMs = 2_000

/** Status 0 when nobody answers. */
export function fetchText(
  port: number,
  path: string,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', port, path, agent }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (piece: string) => {
        text += piece
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    request.setTimeout(answerTimeoutMs, () => request.destroy())
    request.on('error', () => resolve({ status: 0, text: '' }))
  })
}

export type Waiting = {
  readonly name: string
  readonly port: number
  readonly path: string
  readonly timeoutMs: number
  /** Why the process ended, when it did. */
  readonly fallen: () => string | undefined
}

/** Resolves once the page answers 200. Rejects after `timeoutMs` with what it said last, at once if the process ended. */
export async function untilAnswering({ name, port, path, timeoutMs, fallen }: Waiting): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (true) {
    const { status, text } = await fetchText(port, path)
    if (status === 200) return
    const ended = fallen()
    if (ended !== undefined) throw new Error(ended)
    if (performance.now() > deadline) throw new Error(`${name} is not ready: ${text.trim() || 'no answer'}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

type ConfigPage = {
  readonly destinations: Readonly<
    Record<
      string,
      {
        readonly hosts: readonly {
          readonly rules: readonly {
            readonly action: { readonly clusters?: readonly { cluster: string; weight: number }[] }
          }[]
        }[]
      }
    >
  >
}

/** The share of v2 in percent that the sidecar uses for `destination`, or undefined while it does not know it. */
export async function usedShare(port: number, destination: string): Promise<number | undefined> {
  const { status, text } = await fetchText(port, '/config')
  if (status !== 200) return undefined
  const clusters = (JSON.parse(text) as ConfigPage).destinations[destination]?.hosts[0]?.rules[0]?.action
    .clusters
  if (clusters === undefined) return undefined
  const total = clusters.reduce((sum, entry) => sum + entry.weight, 0)
  const v2 = clusters
    .filter((entry) => entry.cluster.startsWith('catalog-v2'))
    .reduce((sum, entry) => sum + entry.weight, 0)
  return (100 * v2) / total
}

type ClustersPage = readonly {
  readonly endpoints: readonly { readonly address: string; readonly state: string }[]
}[]

/** Whether the sidecar gives requests to the endpoint on `endpointPort` like to any other, and not only to try it. */
export async function isInUse(port: number, endpointPort: number): Promise<boolean> {
  const { status, text } = await fetchText(port, '/clusters')
  if (status !== 200) return false
  return (JSON.parse(text) as ClustersPage).some(({ endpoints }) =>
    endpoints.some(({ address, state }) => address.endsWith(`:${endpointPort}`) && state === 'in-use'),
  )
}

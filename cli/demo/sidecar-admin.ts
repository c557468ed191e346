/** Reads a sidecar's admin pages. */
import http from 'node:http'

const agent = new http.Agent({ keepAlive: true })

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
    request.on('error', () => resolve({ status: 0, text: '' }))
  })
}

/** Resolves once /ready answers 200. Rejects after `timeoutMs` with what it said last. */
export async function untilReady(name: string, port: number, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs
  for (let last = ''; ; ) {
    const { status, text } = await fetchText(port, '/ready')
    if (status === 200) return
    last = text.trim() || 'no answer'
    if (performance.now() > deadline) throw new Error(`${name} is not ready: ${last}`)
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

/** Inbound requests of a sidecar: who sent them over mTLS, and how many came in clear. */
export async function inboundPeers(
  port: number,
): Promise<{ readonly clients: readonly string[]; readonly inClear: number }> {
  const { text } = await fetchText(port, '/metrics')
  const clients = new Set<string>()
  let inClear = 0
  for (const [, labels, value] of text.matchAll(/^request_total\{([^}]*)\} (\d+)/gm)) {
    if (labels?.includes('direction="inbound"') !== true) continue
    const client = /client_id="([^"]*)"/.exec(labels)?.[1]
    if (labels.includes('tls="true"') && client !== undefined) clients.add(client)
    else inClear += Number(value)
  }
  return { clients: [...clients], inClear }
}

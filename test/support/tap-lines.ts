/** A viewer of a control plane's tap. */
import http from 'node:http'
import type { TapDrops, TappedExchange } from '../../api/live.ts'

export type TapLines = { readonly lines: (TappedExchange | TapDrops)[]; readonly stop: () => void }

/** Keeps what the tap of the control plane with this admin port shows. */
export function watchTap(adminPort: number, query: string): TapLines {
  const lines: (TappedExchange | TapDrops)[] = []
  const request = http.get({ host: '127.0.0.1', port: adminPort, path: `/live/tap?${query}` }, (response) => {
    let rest = ''
    response.setEncoding('utf8').on('error', () => undefined)
    response.on('data', (piece: string) => {
      const parts = (rest + piece).split('\n')
      rest = parts.pop() as string
      lines.push(...parts.map((line) => JSON.parse(line) as TappedExchange))
    })
  })
  request.on('error', () => undefined)
  return { lines, stop: () => void request.destroy() }
}

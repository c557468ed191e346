/** What every client of a scenario sends. */
export type RequestShape = {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Beside Host. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly bodyBytes: number
}

/** Leads to the backend through every peer; weft routes by it. */
export const authority = 'app.bench:8080'

export const plainGet: RequestShape = { method: 'GET', path: '/', headers: [], bodyBytes: 0 }

/** The request as bytes, ready to be written again and again. */
export function encodeRequest({ method, path, headers, bodyBytes }: RequestShape): Buffer {
  const length = bodyBytes === 0 ? [] : [['Content-Length', String(bodyBytes)] as const]
  const fields = [['Host', authority] as const, ...headers, ...length]
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return Buffer.concat([
    Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines}\r\n`, 'latin1'),
    Buffer.alloc(bodyBytes, 'x'),
  ])
}

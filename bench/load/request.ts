/** What every client of a scenario sends. */
export type RequestShape = {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Beside Host. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly bodyBytes: number
  /** The body is one gRPC message of that many bytes. */
  readonly grpc?: boolean
}

/** Leads to the backend through every peer; weft routes by it. */
export const authority = 'app.bench:8080'

export const plainGet: RequestShape = { method: 'GET', path: '/', headers: [], bodyBytes: 0 }

/** A message with the five bytes that gRPC puts before it. */
export function grpcMessage(bytes: number): Buffer {
  const message = Buffer.alloc(5 + bytes, 'x')
  message[0] = 0
  message.writeUInt32BE(bytes, 1)
  return message
}

export function bodyOf({ bodyBytes, grpc }: RequestShape): Buffer | undefined {
  if (grpc === true) return grpcMessage(bodyBytes)
  return bodyBytes === 0 ? undefined : Buffer.alloc(bodyBytes, 'x')
}

/** The request as bytes, ready to be written again and again. */
export function encodeRequest(request: RequestShape): Buffer {
  const { method, path, headers, bodyBytes } = request
  const length = bodyBytes === 0 ? [] : [['Content-Length', String(bodyBytes)] as const]
  const fields = [['Host', authority] as const, ...headers, ...length]
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return Buffer.concat([
    Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines}\r\n`, 'latin1'),
    bodyOf(request) ?? Buffer.alloc(0),
  ])
}

/** The process that all endpoints of a scenario live in; told by messages how they behave. */
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerAt, type Behaviour } from './behaviour.ts'

export type ApplicationCommand =
  | { readonly kind: 'listen'; readonly endpoints: number }
  /** The run begins: seconds count from now, requests from zero. */
  | { readonly kind: 'begin'; readonly behaviours: readonly Behaviour[] }
  | { readonly kind: 'count' }

export type ApplicationAnswer =
  | { readonly kind: 'listening'; readonly ports: readonly number[] }
  | { readonly kind: 'begun' }
  /** Requests that each endpoint got. */
  | { readonly kind: 'counted'; readonly requests: readonly number[] }

const content = 'x'.repeat(256)
const quick: Behaviour = { medianMs: 0, deviationMs: 0, trouble: undefined }

let behaviours: readonly Behaviour[] = []
let begunMs = performance.now()
let requests: number[] = []

function serve(endpoint: number, response: http.ServerResponse): void {
  requests[endpoint] = (requests[endpoint] ?? 0) + 1
  const second = (performance.now() - begunMs) / 1000
  const { delayMs, status } = answerAt(behaviours[endpoint] ?? quick, second, Math.random)
  const answer = (): void => {
    response.writeHead(status, { 'Content-Length': content.length })
    response.end(content)
  }
  if (delayMs === 0) answer()
  else setTimeout(answer, delayMs)
}

async function listen(endpoint: number): Promise<number> {
  const server = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    request.resume()
    serve(endpoint, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

async function obey(command: ApplicationCommand): Promise<ApplicationAnswer> {
  switch (command.kind) {
    case 'listen': {
      const indexes = Array.from({ length: command.endpoints }, (_, i) => i)
      return { kind: 'listening', ports: await Promise.all(indexes.map(listen)) }
    }
    case 'begin':
      behaviours = command.behaviours
      requests = behaviours.map(() => 0)
      begunMs = performance.now()
      return { kind: 'begun' }
    case 'count':
      return { kind: 'counted', requests }
  }
}

process.on('message', (command: ApplicationCommand) => {
  void obey(command).then((answer) => process.send?.(answer))
})
process.on('disconnect', () => process.exit(0))

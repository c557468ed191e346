/** Closed-loop load by wrk: for capacity and cost per request, never for latency. */
import { execFile } from 'node:child_process'
import { authority, type RequestShape } from './request.ts'

export type WrkResult = { readonly requests: number; readonly errors: number }

export type WrkLoad = {
  readonly port: number
  readonly connections: number
  readonly request: RequestShape
  readonly seconds: number
}

/** Reads wrk's summary; everything that is not a 2xx or 3xx reply is an error. */
export function parseWrk(output: string): WrkResult {
  const requests = Number(/([0-9]+) requests in/.exec(output)?.[1] ?? 0)
  const sockets = /Socket errors: connect ([0-9]+), read ([0-9]+), write ([0-9]+), timeout ([0-9]+)/.exec(
    output,
  )
  const statuses = Number(/Non-2xx or 3xx responses: ([0-9]+)/.exec(output)?.[1] ?? 0)
  const errors = (sockets?.slice(1) ?? []).reduce((sum, text) => sum + Number(text), statuses)
  return { requests, errors }
}

export function wrkArguments({ port, connections, request, seconds }: WrkLoad): string[] {
  const fields = [['Host', authority] as const, ...request.headers]
  return [
    '-t1',
    `-c${connections}`,
    `-d${seconds}s`,
    ...fields.flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
    `http://127.0.0.1:${port}${request.path}`,
  ]
}

export function runWrk(load: WrkLoad): Promise<WrkResult> {
  return new Promise((resolve, reject) => {
    execFile('wrk', wrkArguments(load), (error, stdout) => {
      if (error === null) resolve(parseWrk(stdout))
      else reject(error)
    })
  })
}

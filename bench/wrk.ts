/** Closed-loop load by wrk: for capacity and cost per request, never for latency. */
import { execFile } from 'node:child_process'

export type WrkResult = { readonly requests: number; readonly errors: number }

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

export function runWrk(port: number, seconds: number, connections: number): Promise<WrkResult> {
  const args = [
    '-t',
    '1',
    '-c',
    String(connections),
    '-d',
    `${seconds}s`,
    '-H',
    'Host: app.bench:8080',
    `http://127.0.0.1:${port}/`,
  ]
  return new Promise((resolve, reject) => {
    execFile('wrk', args, (error, stdout) => {
      if (error === null) resolve(parseWrk(stdout))
      else reject(error)
    })
  })
}

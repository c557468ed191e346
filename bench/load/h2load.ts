/** Closed-loop load over HTTP/2 by nghttp2's h2load: for capacity and cost per request. */
import { execFile } from 'node:child_process'
import { authority, type RequestShape } from './request.ts'
import type { WrkResult } from './wrk.ts'

export type H2loadLoad = {
  readonly port: number
  readonly connections: number
  /** In flight on each connection. */
  readonly streams: number
  readonly request: RequestShape
  readonly seconds: number
}

/** Reads its summary; everything that was begun and has no 2xx or 3xx reply is an error. Throws when it is none. */
export function parseH2load(output: string): WrkResult {
  const totals = /^requests: .* ([0-9]+) done, .* ([0-9]+) failed, ([0-9]+) errored/m.exec(output)
  const codes = /^status codes: ([0-9]+) 2xx, ([0-9]+) 3xx/m.exec(output)
  if (totals === null || codes === null) throw new Error(`h2load says: ${output.slice(-500)}`)
  const [done, failed, errored] = totals.slice(1).map(Number) as [number, number, number]
  const good = Number(codes[1]) + Number(codes[2])
  // What is under way when time is up is counted nowhere; what failed is among what is done.
  return { requests: done, errors: Math.max(failed, errored, done - good) }
}

export function h2loadArguments({ port, connections, streams, request, seconds }: H2loadLoad): string[] {
  const { path, headers } = request
  const fields = [[':authority', authority] as const, ...headers]
  return [
    '-t1',
    `-c${connections}`,
    `-m${streams}`,
    `-D${Math.round(seconds * 1000)}ms`,
    ...fields.flatMap(([name, value]) => ['-H', `${name.toLowerCase()}: ${value}`]),
    `http://127.0.0.1:${port}${path}`,
  ]
}

/** Rejects when it cannot run. */
export function runH2load(load: H2loadLoad): Promise<WrkResult> {
  const args = ['--pdeathsig', 'KILL', 'h2load', ...h2loadArguments(load)]
  return new Promise((resolve, reject) => {
    execFile('setpriv', args, (error, stdout) => {
      if (error === null) resolve(parseH2load(stdout))
      else reject(error)
    })
  })
}

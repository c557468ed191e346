/** Closed-loop load by autocannon, a second opinion on what wrk says of capacity and cost. */
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { authority } from './request.ts'
import type { WrkLoad, WrkResult } from './wrk.ts'

type Summary = Readonly<Record<'2xx' | '3xx' | 'non2xx' | 'errors' | 'timeouts' | 'resets', number>>

/** Reads the JSON that it ends in; everything that is not a 2xx or 3xx reply is an error. */
export function parseAutocannon(output: string): WrkResult {
  const summary = JSON.parse(output) as Summary
  const good = summary['2xx'] + summary['3xx']
  // `errors` has the timeouts in it.
  const bad = summary.non2xx - summary['3xx'] + summary.errors + summary.resets
  return { requests: good + bad, errors: bad }
}

export function autocannonArguments({ port, connections, request, seconds }: WrkLoad): string[] {
  const { method, path, headers, bodyBytes } = request
  const fields = [['Host', authority] as const, ...headers]
  return [
    '--json',
    `--connections=${connections}`,
    `--duration=${seconds}`,
    `--method=${method}`,
    ...(bodyBytes === 0 ? [] : ['--body', 'x'.repeat(bodyBytes)]),
    ...fields.flatMap(([name, value]) => ['--headers', `${name}=${value}`]),
    `http://127.0.0.1:${port}${path}`,
  ]
}

/** Rejects when it cannot run. */
export function runAutocannon(load: WrkLoad): Promise<WrkResult> {
  const program = createRequire(import.meta.url).resolve('autocannon/autocannon.js')
  const args = ['--pdeathsig', 'KILL', process.execPath, program, ...autocannonArguments(load)]
  return new Promise((resolve, reject) => {
    execFile('setpriv', args, (error, stdout) => {
      if (error === null) resolve(parseAutocannon(stdout))
      else reject(error)
    })
  })
}

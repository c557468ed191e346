/** Closed-loop load by wrk: for capacity and cost per request, never for latency. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { authority, type RequestShape } from './request.ts'

export type WrkResult = { readonly requests: number; readonly errors: number }

export type WrkLoad = {
  readonly port: number
  readonly connections: number
  readonly request: RequestShape
  /** A whole number: wrk knows no other. */
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

/** The arguments; `script` is a file with what wrkScript gives, for a request that has a body. */
export function wrkArguments({ port, connections, request, seconds }: WrkLoad, script?: string): string[] {
  const fields = [['Host', authority] as const, ...request.headers]
  return [
    '-t1',
    `-c${connections}`,
    `-d${seconds}s`,
    ...(script === undefined ? [] : ['-s', script]),
    ...fields.flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
    `http://127.0.0.1:${port}${request.path}`,
  ]
}

/** Lua that tells wrk of a method and a body. */
export function wrkScript({ method, bodyBytes }: RequestShape): string {
  return `wrk.method = "${method}"\nwrk.body = string.rep("x", ${bodyBytes})\n`
}

function execute(args: readonly string[]): Promise<WrkResult> {
  return new Promise((resolve, reject) => {
    execFile('setpriv', ['--pdeathsig', 'KILL', 'wrk', ...args], (error, stdout) => {
      if (error === null) resolve(parseWrk(stdout))
      else reject(error)
    })
  })
}

export async function runWrk(load: WrkLoad): Promise<WrkResult> {
  if (load.request.bodyBytes === 0) return execute(wrkArguments(load))
  const folder = mkdtempSync(path.join(tmpdir(), 'weft-wrk-'))
  const script = path.join(folder, 'request.lua')
  writeFileSync(script, wrkScript(load.request))
  try {
    return await execute(wrkArguments(load, script))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { ManualClock } from '../manual-clock.ts'
import { KubernetesClient } from './api-client.ts'
import { readKubeconfig } from './kubeconfig.ts'

let folder: string
let clock: ManualClock
let server: http.Server
let client: KubernetesClient
/** What the API server was shown, and which of it it takes. */
let shown: string[]
let taken: (authorization: string) => boolean

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'weft-plugin-'))
  clock = new ManualClock()
  shown = []
  taken = () => true
  server = http.createServer((request, response) => {
    const { authorization = '' } = request.headers
    shown.push(authorization)
    response.writeHead(taken(authorization) ? 200 : 401, { 'content-type': 'application/json' })
    response.end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterEach(() => {
  client.close()
  server.close()
  server.closeAllConnections()
  rmSync(folder, { recursive: true })
})

/** A program beside the kubeconfig; `run` is shell, with `n` for how often it has been run. */
function writePlugin(run: string): void {
  const file = path.join(folder, 'plugin')
  const counted = `n=$(($(cat "$COUNT" 2>/dev/null || echo 0) + 1)); echo $n > "$COUNT"`
  writeFileSync(file, `#!/bin/sh\n${counted}\n${run}\n`)
  chmodSync(file, 0o755)
}

const printed = (status: string, version = 'client.authentication.k8s.io/v1') =>
  `printf '{"apiVersion":"${version}","kind":"ExecCredential","status":${status}}' "$n"`

function connect(exec: object = {}): void {
  const plugin = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: './plugin',
    interactiveMode: 'Never',
    env: [{ name: 'COUNT', value: path.join(folder, 'count') }],
    ...exec,
  }
  const file = path.join(folder, 'config')
  writeFileSync(
    file,
    stringify({
      'current-context': 'here',
      contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
      clusters: [
        { name: 'c', cluster: { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` } },
      ],
      users: [{ name: 'u', user: { exec: plugin } }],
    }),
  )
  client = new KubernetesClient(readKubeconfig([file]), clock)
}

const ask = async (): Promise<number> => (await client.request('GET', '/version')).status

it('keeps a credential until it expires, and asks once for all who wait', async () => {
  writePlugin(printed('{"token":"t%s","expirationTimestamp":"2026-01-01T00:10:00Z"}'))
  connect()
  expect(await Promise.all([ask(), ask(), ask()])).toEqual([200, 200, 200])
  clock.advance(10 * 60_000 - 1)
  await ask()
  expect(new Set(shown)).toEqual(new Set(['Bearer t1']))
  clock.advance(1)
  await ask()
  expect(shown.at(-1)).toBe('Bearer t2')
})

it('asks for another one, once, when the API server takes it no longer', async () => {
  writePlugin(printed('{"token":"t%s"}'))
  connect()
  taken = (authorization) => authorization === 'Bearer t2'
  expect(await ask()).toBe(200)
  expect(shown).toEqual(['Bearer t1', 'Bearer t2'])
  taken = () => false
  expect(await ask()).toBe(401)
  expect(shown).toEqual(['Bearer t1', 'Bearer t2', 'Bearer t2', 'Bearer t3'])
})

it('tells the program that nobody is there, its arguments, and the cluster where it asks for it', async () => {
  const told = path.join(folder, 'told')
  writePlugin(`echo "$1 $KUBERNETES_EXEC_INFO" > ${told}; cat; ${printed('{"token":"t%s"}')}`)
  connect({ args: ['get-token'], provideClusterInfo: true })
  await ask()
  const text = readFileSync(told, 'utf8')
  expect(text).toMatch(/^get-token /)
  expect(JSON.parse(text.slice('get-token '.length))).toMatchObject({
    kind: 'ExecCredential',
    spec: { interactive: false, cluster: { server: expect.stringContaining('http://127.0.0.1:') as string } },
  })
})

it('says plainly that the program is missing, and where to get it', async () => {
  connect({ command: 'weft-no-such-plugin', installHint: 'see example.com' })
  await expect(ask()).rejects.toMatchObject({
    code: 'KUBERNETES_REFUSED',
    message: "the credential plugin 'weft-no-such-plugin' is not installed: see example.com",
  })
  expect(shown).toEqual([])
})

it.each([
  ['fails', 'echo not logged in >&2; exit 1', 'failed: not logged in'],
  ['prints no JSON', 'echo secret', 'printed no JSON'],
  [
    'is of another version',
    printed('{"token":"t%s"}', 'client.authentication.k8s.io/v1beta1'),
    'no ExecCredential',
  ],
  ['gives nothing', printed('{}'), 'neither a token nor a certificate'],
  ['gives a certificate without its key', printed('{"clientCertificateData":"C"}'), 'not both'],
  ['gives no time', printed('{"token":"t%s","expirationTimestamp":"soon"}'), 'is no time'],
])('refuses what a program gives that %s, and asks anew the next time', async (_what, run, problem) => {
  writePlugin(run)
  connect()
  await expect(ask()).rejects.toMatchObject({
    code: 'KUBERNETES_REFUSED',
    message: expect.stringContaining(problem) as string,
  })
  expect(existsSync(path.join(folder, 'count'))).toBe(true)
  writePlugin(printed('{"token":"t%s"}'))
  expect(await ask()).toBe(200)
  expect(shown).toEqual(['Bearer t2'])
})

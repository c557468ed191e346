import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { inClusterConnection, readKubeconfig } from './kubernetes-connection.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'weft-connection-'))
afterAll(() => rmSync(folder, { recursive: true }))

function write(name: string, text: string): string {
  const file = path.join(folder, name)
  writeFileSync(file, text)
  return file
}

const kubeconfig = (user: string): string =>
  write(
    'kubeconfig',
    `current-context: two
contexts: [{ name: one, context: { cluster: no } }, { name: two, context: { cluster: here, user: me } }]
clusters: [{ name: here, cluster: { server: 'https://api:6443/', certificate-authority: ca.pem } }]
users: [{ name: me, user: ${user} }]
`,
  )

test('a kubeconfig is read by its current context, files beside it, data in it', () => {
  write('ca.pem', 'CA')
  const key = Buffer.from('KEY').toString('base64')
  const cert = Buffer.from('CERT').toString('base64')
  const connection = readKubeconfig(
    kubeconfig(`{ client-key-data: ${key}, client-certificate-data: ${cert} }`),
  )
  expect(connection).toMatchObject({ server: 'https://api:6443', ca: 'CA', cert: 'CERT', key: 'KEY' })
  expect(connection.token()).toBeUndefined()
})

test('a token is read anew for each request, as the kubelet replaces it', () => {
  const tokenFile = write('token', 'first\n')
  write('ca.crt', 'CA')
  const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' }
  const pod = inClusterConnection(env, folder)
  const user = readKubeconfig(kubeconfig(`{ tokenFile: ${tokenFile} }`))
  expect([pod.server, pod.token(), user.token()]).toEqual(['https://[fd00::1]:6443', 'first', 'first'])
  writeFileSync(tokenFile, 'second')
  expect([pod.token(), user.token()]).toEqual(['second', 'second'])
})

test('what cannot be used is told', () => {
  expect(() => readKubeconfig(write('empty', ''))).toThrow(/no cluster for its current context/)
  expect(() => readKubeconfig(write('broken', 'a: ['))).toThrow(/broken/)
  expect(() => readKubeconfig(path.join(folder, 'none'))).toThrow(/cannot read/)
  expect(() => inClusterConnection({})).toThrow(/no API server/)
})

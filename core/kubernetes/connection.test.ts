import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { findConnection, podNamespace } from './connection.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'weft-connection-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const write = (name: string, text: string): string => {
  const file = path.join(folder, name)
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, text)
  return file
}
const base64 = (text: string): string => Buffer.from(text).toString('base64')

const kubeconfig = (user: object, cluster: object = {}) => ({
  'current-context': 'here',
  contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
  clusters: [
    { name: 'other', cluster: { server: 'https://elsewhere:6443' } },
    { name: 'c', cluster: { server: 'https://api.test:6443/prefix', ...cluster } },
  ],
  users: [{ name: 'u', user }],
})

describe('in a pod', () => {
  const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' }

  it('leads to the API server that the pod is told of, with a token that is read anew each time', () => {
    write('ca.crt', 'CA')
    write('token', 'first\n')
    const connection = findConnection(env, folder)
    expect([connection.server.href, connection.ca, connection.token()]).toEqual([
      'https://[fd00::1]:6443/',
      'CA',
      'first',
    ])
    write('token', 'second\n')
    expect(connection.token()).toBe('second')
  })

  it('knows its namespace', () => {
    expect(podNamespace({}, folder)).toBeUndefined()
    write('namespace', 'weft\n')
    expect(podNamespace({}, folder)).toBe('weft')
    expect(podNamespace({ POD_NAMESPACE: 'mesh' }, folder)).toBe('mesh')
  })
})

describe('with KUBECONFIG', () => {
  const find = (...files: string[]) => findConnection({ KUBECONFIG: files.join(path.delimiter) })

  it('takes certificates inline, and from files beside the kubeconfig', () => {
    const inline = write(
      'inline',
      stringify(
        kubeconfig(
          { 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') },
          { 'certificate-authority-data': base64('CA'), 'tls-server-name': 'kubernetes' },
        ),
      ),
    )
    const { server, ca, certificate, serverName, verify } = find(inline)
    expect(server.href).toBe('https://api.test:6443/prefix')
    expect([ca, certificate, serverName, verify]).toEqual([
      'CA',
      { cert: 'CERT', key: 'KEY' },
      'kubernetes',
      true,
    ])
    write('pki/cert.pem', 'CERT2')
    write('pki/key.pem', 'KEY2')
    const beside = write(
      'beside',
      stringify(kubeconfig({ 'client-certificate': 'pki/cert.pem', 'client-key': 'pki/key.pem' })),
    )
    expect(find(beside).certificate).toEqual({ cert: 'CERT2', key: 'KEY2' })
  })

  it('puts several files together, the first counts', () => {
    const first = write('first', stringify({ users: [{ name: 'u', user: { token: 'mine' } }] }))
    const second = write('second', stringify(kubeconfig({ token: 'theirs' })))
    expect(find(first, second).token()).toBe('mine')
  })

  it.each([
    ['no current context', {}, 'current-context'],
    ['an unknown user', { ...kubeconfig({}), users: [] }, "no user 'u'"],
    ['a plugin of the old kind', kubeconfig({ 'auth-provider': { name: 'gcp' } }), 'auth-provider is not'],
    [
      'a plugin of another version',
      kubeconfig({ exec: { command: 'aws' } }),
      'client.authentication.k8s.io/v1',
    ],
    [
      'a plugin that needs a person',
      kubeconfig({
        exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'a', interactiveMode: 'Always' },
      }),
      'needs a person',
    ],
    ['a certificate without its key', kubeconfig({ 'client-certificate-data': base64('C') }), 'go together'],
    ['a server that is no URL', kubeconfig({}, { server: 'nowhere' }), 'must be a URL'],
  ])('refuses %s', (_what, content, problem) => {
    expect(() => find(write('config', stringify(content)))).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', detail: [expect.stringContaining(problem)] }),
    )
  })
})

it('says so where there is neither', () => {
  expect(() => findConnection({})).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})

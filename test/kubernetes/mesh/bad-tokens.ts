/** Tokens that prove nothing: a good one that is changed, or signed anew with what is not so. */
import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { ApiServer } from '../../support/api-server.ts'

type Claims = Readonly<Record<string, unknown>>

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function claimsOf(token: string): Claims {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Claims
}

/** The token with other claims in it, signed by `key`. */
function signedBy(key: KeyObject, token: string, more: Claims): string {
  const signed = `${token.split('.')[0]}.${part({ ...claimsOf(token), ...more })}`
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}

/** The same as the cluster would have signed it, which has to be our own. */
export function signedHere(server: ApiServer, token: string, more: Claims): string {
  const file = path.join(path.dirname(server.kubeconfig), 'service-account.key')
  return signedBy(createPrivateKey(readFileSync(file)), token, more)
}

/** By what is wrong with each. `good`: of a pod. */
export function changedTokens(good: string): Readonly<Record<string, string>> {
  const [header = '', claims = '', signature = ''] = good.split('.')
  const changed = (more: Claims): string =>
    [header, part({ ...claimsOf(good), ...more }), signature].join('.')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    'of another cluster': signedBy(privateKey, good, {}),
    'changed to never expire': changed({ exp: 4_000_000_000 }),
    'changed to another account': changed({ sub: 'system:serviceaccount:kube-system:admin' }),
    truncated: good.slice(0, -10),
    'without a signature': `${header}.${claims}.`,
    'that says it needs no signature': `${part({ alg: 'none' })}.${claims}.`,
    padded: `${good}=`,
    'no token': 'a.b.c',
  }
}

/** Those that the cluster itself has signed, which has to be our own. */
export function wronglySignedTokens(server: ApiServer, good: string): Readonly<Record<string, string>> {
  const nowS = Math.floor(Date.now() / 1000)
  const about = claimsOf(good)['kubernetes.io'] as Readonly<Record<string, object>>
  const aboutAnother = (kind: string, more: object): Claims => ({
    'kubernetes.io': { ...about, [kind]: { ...about[kind], ...more } },
  })
  const signed = (more: Claims): string => signedHere(server, good, more)
  return {
    expired: signed({ iat: nowS - 7_200, nbf: nowS - 7_200, exp: nowS - 600 }),
    'not valid yet': signed({ nbf: nowS + 600 }),
    // The API server looks at what it has written itself, and never at the subject.
    'of no ServiceAccount': signed({ 'kubernetes.io': undefined }),
    'of another ServiceAccount': signed(aboutAnother('serviceaccount', { name: 'default' })),
    'of a pod of that name that is gone': signed(aboutAnother('pod', { uid: 'another' })),
    'of another issuer': signed({ iss: 'https://other.example' }),
  }
}

import { sign } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../core/manual-clock.ts'
import { StateFolder } from './state-folder.ts'
import { TokenAuthenticator, createToken } from './token.ts'
import { type TokenKey, openTokenKey } from './token-key.ts'

const identity = { namespace: 'shop', serviceAccount: 'web' }
const HOUR_MS = 3_600_000

describe('workload tokens', () => {
  let parent: string
  let key: TokenKey
  const clock = new ManualClock()
  let authenticator: TokenAuthenticator

  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'weft-token-'))
    key = openTokenKey(new StateFolder(parent))
    authenticator = new TokenAuthenticator({ publicKey: key.publicKey, clock })
  })
  afterEach(() => rmSync(parent, { recursive: true }))

  const create = (options: { ttlMs?: number; audience?: string } = {}) =>
    createToken({ privateKey: key.privateKey, identity, clock, ttlMs: HOUR_MS, ...options })

  const forge = (claims: object, header: object = { alg: 'ES256' }) => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const signed = `${part(header)}.${part(claims)}`
    const signature = sign('sha256', Buffer.from(signed), { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
    return `${signed}.${signature.toString('base64url')}`
  }

  const codeOf = (token: string) =>
    authenticator.authenticate(token).then(
      () => 'accepted',
      (error: { code: string }) => error.code,
    )

  it('gives back the workload that it was made for', async () => {
    expect(await authenticator.authenticate(create())).toEqual(identity)
  })

  it('works across a restart, with the key for its owner alone', async () => {
    const token = create()
    const again = openTokenKey(new StateFolder(parent))
    const restarted = new TokenAuthenticator({ publicKey: again.publicKey, clock })
    expect(await restarted.authenticate(token)).toEqual(identity)
    expect(statSync(join(parent, 'token-key.pem')).mode & 0o777).toBe(0o600)
  })

  it('tells apart the reasons for refusing', async () => {
    const nowS = Math.floor(clock.wallMs() / 1000)
    const claims = { iss: 'weft', aud: 'weft', sub: 'system:serviceaccount:shop:web', exp: nowS + 60 }
    expect(await codeOf(forge(claims))).toBe('accepted')
    expect(await codeOf('')).toBe('TOKEN_MALFORMED')
    expect(await codeOf('a.b')).toBe('TOKEN_MALFORMED')
    expect(await codeOf('a.b.c')).toBe('TOKEN_MALFORMED')
    expect(await codeOf('x'.repeat(10_000))).toBe('TOKEN_TOO_LARGE')
    expect(await codeOf(create().slice(0, -10))).toBe('TOKEN_SIGNATURE_INVALID')
    expect(await codeOf(create().replace(/[^.]+$/, ''))).toBe('TOKEN_MALFORMED')
    expect(await codeOf(forge(claims, { alg: 'none' }))).toBe('TOKEN_MALFORMED')
    expect(await codeOf(forge(claims, { alg: 'HS256' }))).toBe('TOKEN_MALFORMED')
    expect(await codeOf(create({ audience: 'other' }))).toBe('TOKEN_WRONG_AUDIENCE')
    expect(await codeOf(forge({ ...claims, aud: ['other', 'weft'] }))).toBe('accepted')
    expect(await codeOf(forge({ ...claims, aud: ['weft.example', 'WEFT'] }))).toBe('TOKEN_WRONG_AUDIENCE')
    expect(await codeOf(forge({ ...claims, aud: { weft: true } }))).toBe('TOKEN_WRONG_AUDIENCE')
    expect(await codeOf(`${forge(claims)}=`)).toBe('TOKEN_MALFORMED')
    expect(await codeOf(forge(claims).replace('.', '=.'))).toBe('TOKEN_MALFORMED')
    expect(await codeOf(forge(claims).replace('.', '.\u0000'))).toBe('TOKEN_MALFORMED')
    expect(await codeOf(`${forge(claims)}.`)).toBe('TOKEN_MALFORMED')
    expect(await codeOf(forge({ ...claims, exp: Number.POSITIVE_INFINITY }))).toBe('TOKEN_INVALID')
    expect(await codeOf(forge({ ...claims, nbf: 'now' }))).toBe('TOKEN_NOT_YET_VALID')
    expect(await codeOf(forge({ ...claims, iss: 'other' }))).toBe('TOKEN_INVALID')
    expect(await codeOf(forge({ ...claims, exp: undefined }))).toBe('TOKEN_INVALID')
    expect(await codeOf(forge({ ...claims, exp: 'soon' }))).toBe('TOKEN_INVALID')
    expect(await codeOf(forge({ ...claims, nbf: nowS + 3600 }))).toBe('TOKEN_NOT_YET_VALID')
    for (const sub of [
      '',
      'web',
      'system:node:a:b',
      'system:serviceaccount:shop',
      'system:serviceaccount:a:b:c',
      'system:serviceaccount:A:b',
      'system:serviceaccount:a/b:c',
      7,
    ]) {
      expect(await codeOf(forge({ ...claims, sub }))).toBe('TOKEN_NOT_SERVICE_ACCOUNT')
    }
  })

  it('refuses a token that was changed, and one of another control plane', async () => {
    const [header, , signature] = create().split('.')
    const claims = Buffer.from(JSON.stringify({ sub: 'system:serviceaccount:kube-system:admin' })).toString(
      'base64url',
    )
    expect(await codeOf(`${header}.${claims}.${signature}`)).toBe('TOKEN_SIGNATURE_INVALID')
    const other = openTokenKey(new StateFolder(join(parent, 'other')))
    const foreign = createToken({ privateKey: other.privateKey, identity, clock, ttlMs: HOUR_MS })
    expect(await codeOf(foreign)).toBe('TOKEN_SIGNATURE_INVALID')
  })

  it('expires, half a minute late for clocks that differ', async () => {
    const token = create()
    clock.advance(HOUR_MS + 29_000)
    expect(await codeOf(token)).toBe('accepted')
    clock.advance(2000)
    expect(await codeOf(token)).toBe('TOKEN_EXPIRED')
  })

  it('is not made for names that Kubernetes would not accept', () => {
    const make = () =>
      createToken({
        privateKey: key.privateKey,
        identity: { namespace: 'a:b', serviceAccount: 'c' },
        clock,
        ttlMs: 1,
      })
    expect(make).toThrow(expect.objectContaining({ code: 'TOKEN_NOT_SERVICE_ACCOUNT' }))
  })
})

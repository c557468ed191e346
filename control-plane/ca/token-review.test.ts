import { describe, expect, it } from 'vitest'
import type { Authenticator } from './authenticator.ts'
import { ByIssuerAuthenticator } from './by-issuer.ts'
import { readReview } from './token-review.ts'

const user = { username: 'system:serviceaccount:shop:web', groups: ['system:serviceaccounts'] }
const good = { authenticated: true, audiences: ['weft'], user }

describe('a TokenReview', () => {
  it('proves a ServiceAccount', () => {
    expect(readReview(good, 'weft')).toEqual({ namespace: 'shop', serviceAccount: 'web' })
  })

  it('proves a pod, too, where the token was made for one', () => {
    const extra = { 'authentication.kubernetes.io/pod-name': ['web-1'] }
    expect(readReview({ ...good, user: { ...user, extra } }, 'weft')).toEqual({
      namespace: 'shop',
      serviceAccount: 'web',
      pod: 'web-1',
    })
  })

  it.each([
    ['is not authenticated', { ...good, authenticated: false }, 'TOKEN_INVALID'],
    ['says neither yes nor no', {}, 'TOKEN_INVALID'],
    ['names an error beside its yes', { ...good, error: 'audiences' }, 'TOKEN_INVALID'],
    [
      'comes from a server that knows no audiences',
      { ...good, audiences: undefined },
      'TOKEN_WRONG_AUDIENCE',
    ],
    ['is for another audience', { ...good, audiences: ['api'] }, 'TOKEN_WRONG_AUDIENCE'],
    ['is of a person', { ...good, user: { ...user, username: 'alice' } }, 'TOKEN_NOT_SERVICE_ACCOUNT'],
    [
      'is of a user who is only called like a ServiceAccount',
      { ...good, user: { ...user, groups: ['developers'] } },
      'TOKEN_NOT_SERVICE_ACCOUNT',
    ],
  ])('that %s proves nothing', (_what, review, code) => {
    expect(() => readReview(review, 'weft')).toThrow(expect.objectContaining({ code }))
  })
})

describe('tokens of two issuers', () => {
  const named = (serviceAccount: string): Authenticator => ({
    authenticate: () => Promise.resolve({ namespace: 'shop', serviceAccount }),
  })
  const both = new ByIssuerAuthenticator(named('own'), named('reviewed'))
  const token = (claims: object): string => `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`

  it.each([
    ['own', token({ iss: 'weft' })],
    ['reviewed', token({ iss: 'https://kubernetes.default.svc' })],
    ['reviewed', 'nonsense'],
    ['reviewed', ''],
  ])('are judged by who makes them: %s', async (who, bearer) => {
    expect((await both.authenticate(bearer)).serviceAccount).toBe(who)
  })
})

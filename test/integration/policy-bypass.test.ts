/** Nothing gets through a policy that an application, however it reads its requests, would serve as `/private`. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AccessRules, Principal } from '../../proxy/authz/access-rules.ts'
import { broadForm, readablePath } from '../../proxy/route/readable-path.ts'
import { guard, nothing, policies } from '../support/guarded-application.ts'
import { type HttpApplication, startHttpApplication } from '../support/http-application.ts'
import { isPrivate } from '../support/path-readings.ts'
import { pathTricks, secret } from '../support/path-tricks.ts'
import { exchangeRaw } from '../support/raw-tcp.ts'

/** Fields that some frameworks take for the path. */
const pathFields = /^x[-_](?:original|rewrite)[-_]url$/

let app: HttpApplication
beforeAll(async () => {
  app = await startHttpApplication('app', ({ url = '', headers }, response) => {
    const others = Object.entries(headers).flatMap(([name, value]) =>
      pathFields.test(name) ? (value ?? []) : [],
    )
    response.end([url, ...others].some(isPrivate) ? secret : 'fine')
  })
})
afterAll(() => app.stop())

describe.each(Object.entries(policies))('%s', (_, rules) => {
  test('is got around by no trick with a path', async () => {
    const { port, stop } = await guard(app.port, rules)
    try {
      const through: string[] = []
      for (const { name, send } of pathTricks('/public'))
        if ((await send(port)).includes(secret)) through.push(name)
      expect(through).toEqual([])
      const plain = 'GET /public/x%20y?private HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n'
      expect((await exchangeRaw(port, [plain])).text).toMatch(/^HTTP\/1\.1 200 .*fine$/s)
    } finally {
      stop()
    }
  })
})

test('the tricks work where there is no policy', async () => {
  const { port, stop } = await guard(app.port, { deny: [], allow: undefined, audit: [], otherwise: '' })
  let served = 0
  for (const { send } of pathTricks('/public')) if ((await send(port)).includes(secret)) served++
  stop()
  expect(served).toBeGreaterThan(250)
})

describe('what a client says of itself', () => {
  const rule = (principal: Principal): AccessRules => ({
    ...nothing,
    allow: [{ name: 'near', permission: { kind: 'any' }, principal }],
  })
  const statusOf = async (rules: AccessRules, more: string): Promise<string> => {
    const { port, stop } = await guard(app.port, rules)
    const request = `GET /public HTTP/1.1\r\nHost: app.test\r\nConnection: close${more}\r\n\r\n`
    const { text } = await exchangeRaw(port, [request])
    stop()
    return text.slice(9, 12)
  }

  test('counts for no rule about addresses', async () => {
    const near = rule({ kind: 'address', address: '10.0.0.0', prefixLength: 8 })
    for (const name of ['X-Forwarded-For', 'X-Real-IP', 'Forwarded'])
      expect(await statusOf(near, `\r\n${name}: 10.0.0.1`)).toBe('403')
    expect(await statusOf(rule({ kind: 'address', address: '127.0.0.0', prefixLength: 8 }), '')).toBe('200')
  })

  test('counts for no rule about identities', async () => {
    const id = 'spiffe://cluster.local/ns/shop/sa/web'
    const known = rule({ kind: 'principal', match: undefined })
    for (const field of [`weft-client-id: ${id}`, `x-forwarded-client-cert: URI=${id}`])
      expect(await statusOf(known, `\r\n${field}`)).toBe('403')
  })
})

/** What tricks are made of. */
const pieces = (
  '/ / / private private PRIVATE rivate public x .. . ; ;x %2e %2E%2E %2f %25 %32 %35 %65 %66 %3b %3f %23 %5c %20 %00 %70 ' +
  '%09 %C2%A0 %EF%BC%8F %EF%BC%8E %E2%80%A5 %EF%BD%90 %C5%BF %c0%af %e2%80%8b %ef%bb%bf %85 %C2%85 %E2%80%A8'
).split(' ')

test('nor by whatever is put together of the pieces of tricks', () => {
  const isBelow = (path: string, root: string): boolean => path === root || path.startsWith(`${root}/`)
  const path = fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 9 })
  fc.assert(
    fc.property(path, (parts) => {
      const readable = readablePath(`/${parts.join('')}`)
      if (readable === undefined) return
      const { read, sent } = readable
      const passes = !isBelow(broadForm(read), '/private') || isBelow(read, '/public')
      expect(passes && isPrivate(sent), sent).toBe(false)
    }),
    { numRuns: 3_000 },
  )
})

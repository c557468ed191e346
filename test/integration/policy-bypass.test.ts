/** Nothing gets through a policy that an application, however it reads its requests, would serve as `/private`. */
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { guard, policies } from '../support/guarded-application.ts'
import { type HttpApplication, startHttpApplication } from '../support/http-application.ts'
import { pathTricks, secret } from '../support/path-tricks.ts'
import { exchangeRaw } from '../support/raw-tcp.ts'

function attempt(read: (url: string) => string): (url: string) => string {
  return (url) => {
    try {
      return read(url)
    } catch {
      return url
    }
  }
}

/** What frameworks do with a path before they look it up; each application does some of it, in some order. */
const readings: readonly ((url: string) => string)[] = [
  (url) => url.replace(/[?#].*$/, ''),
  attempt((url) => new URL(url, 'http://app.test').pathname),
  (url) => path.posix.normalize(url),
  (url) => url.replace(/\/{2,}/g, '/'),
  (url) => url.replace(/;[^/]*/g, ''),
  (url) => url.replaceAll('\\', '/'),
  (url) => url.toLowerCase(),
  (url) => url.replace(/\0.*$/s, ''),
  (url) => url.replace(/[\s]+$/, ''),
]
const decode = attempt(decodeURIComponent)
/** As old decoders have it, to which an overlong slash is one. */
const decodeLoosely = (url: string): string =>
  url.replace(/%(?:c0%af|e0%80%af)/gi, '/').replace(/%c0%ae/gi, '.')

function everyReading(url: string): ReadonlySet<string> {
  const seen = new Set([url, decodeLoosely(url)])
  const grow = (): void => {
    for (let before = -1; before !== seen.size; ) {
      before = seen.size
      for (const text of seen) for (const read of readings) seen.add(read(text))
    }
  }
  grow()
  // Some do it again.
  for (let times = 0; times < 2; times++) {
    for (const text of seen) seen.add(decode(text))
    grow()
  }
  return seen
}

function isPrivate(url: string): boolean {
  return [...everyReading(url)].some((text) => text === '/private' || text.startsWith('/private/'))
}

let app: HttpApplication
beforeAll(async () => {
  app = await startHttpApplication('app', ({ url = '' }, response) =>
    response.end(isPrivate(url) ? secret : 'fine'),
  )
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
  expect(served).toBeGreaterThan(100)
})

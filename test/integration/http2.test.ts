/** HTTP/2 through real sidecars between node:http2 clients and applications, and to and from HTTP/1. */
import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startHttpApplication, type HttpApplication } from '../support/http-application.ts'
import { type Http2Application, startHttp2Application } from '../support/http2-application.ts'
import { ask, connectHttp2 } from '../support/http2-client.ts'
import { type MeshPair, startMeshPair } from '../support/mesh-pair.ts'
import { type PlainDataPath, setEndpoints, startPlainDataPath } from '../support/plain-data-path.ts'
import { exchangeRaw } from '../support/raw-tcp.ts'

const large = randomBytes(3 * 1024 * 1024)
const hash = (content: Buffer): string => createHash('sha256').update(content).digest('hex')

describe('to an application that speaks HTTP/2', () => {
  let app: Http2Application
  let plain: PlainDataPath

  beforeAll(async () => {
    app = await startHttp2Application()
    plain = await startPlainDataPath([app.port])
  })

  afterAll(async () => {
    plain.stop()
    await app.stop()
  })

  test('a request and its reply pass with fields, content and trailers', async () => {
    const session = connectHttp2(plain.port)
    const answer = await ask(session, { ':method': 'POST', ':path': '/a?b=c' }, 'hello')
    expect(answer.status).toBe(200)
    expect(answer.content.toString()).toBe('hello')
    expect(answer.headers['x-method']).toBe('POST')
    expect(answer.headers['x-path']).toBe('/a?b=c')
    expect(answer.trailers['x-end']).toBe('reached')
    session.destroy()
  })

  test('megabytes pass intact in both directions at once, on many streams of one connection', async () => {
    const session = connectHttp2(plain.port)
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => ask(session, { ':method': 'POST' }, large)),
    )
    expect(answers.map(({ content }) => hash(content))).toEqual(answers.map(() => hash(large)))
    session.destroy()
  })

  test('a thousand requests of four clients share one connection to the application', async () => {
    const sessions = Array.from({ length: 4 }, () => connectHttp2(plain.port))
    const before = app.opened
    const asked = Array.from({ length: 1000 }, (_, i) => {
      const session = sessions[i % 4]
      if (session === undefined) throw new Error('no session')
      return ask(session, { ':method': 'POST', ':path': `/${i}` }, String(i))
    })
    const answers = await Promise.all(asked)
    expect(answers.map(({ content }) => content.toString())).toEqual(answers.map((_, i) => String(i)))
    expect(app.opened - before).toBeLessThan(16)
    for (const session of sessions) session.destroy()
  })
})

describe('a reply of node:http2 whose length nobody said', () => {
  const piece = Buffer.alloc(64 * 1024, 'w')
  let app: Http2Application
  let plain: PlainDataPath

  beforeAll(async () => {
    app = await startHttp2Application((stream, headers) => {
      stream.respond({ ':status': 200 })
      const write = (left: number): void => {
        if (left === 0) stream.end()
        else stream.write(piece, () => write(left - 1))
      }
      write(Number(headers['x-pieces']))
    })
    plain = await startPlainDataPath([])
    setEndpoints(plain.dataPath, 'app', [app.port], undefined, { http2: true })
  })

  afterAll(async () => {
    plain.stop()
    await app.stop()
  })

  // Where the last byte used up the window, it resets its stream instead of ending it.
  test.each([4, 8, 12, 16, 32, 64])('is whole where it is %i times 64 KiB', async (pieces) => {
    const session = connectHttp2(plain.port)
    const { content } = await ask(session, { 'x-pieces': String(pieces) })
    expect(content.length).toBe(pieces * piece.length)
    session.destroy()
  })
})

describe('between HTTP/1 and HTTP/2', () => {
  let app: HttpApplication
  let plain: PlainDataPath

  beforeAll(async () => {
    app = await startHttpApplication('app', (request, response, body) => {
      response.setHeader('x-fields', JSON.stringify(request.rawHeaders))
      response.end(body === '' ? 'nothing' : Buffer.from(body, 'latin1'))
    })
    plain = await startPlainDataPath([app.port])
  })

  afterAll(async () => {
    plain.stop()
    await app.stop()
  })

  test('an application that speaks HTTP/1 only is sent HTTP/1', async () => {
    const session = connectHttp2(plain.port)
    const answer = await ask(session, { ':method': 'POST', cookie: ['a=1', 'b=2'] }, 'hello')
    expect(answer.content.toString()).toBe('hello')
    const fields = JSON.parse(answer.headers['x-fields'] as string) as string[]
    expect(fields.slice(0, 2)).toEqual(['host', 'app.test'])
    expect(fields).toContain('a=1; b=2')
    const [one, two] = await Promise.all([ask(session), ask(session, { ':method': 'POST' }, large)])
    expect(one.content.toString()).toBe('nothing')
    expect(hash(two.content)).toBe(hash(large))
    session.destroy()
  })

  test('an application that speaks HTTP/2 only is sent HTTP/2', async () => {
    const other = await startHttp2Application()
    const translated = await startPlainDataPath([])
    setEndpoints(translated.dataPath, 'app', [other.port], undefined, { http2: true })
    const text =
      'POST /x HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\nTE: trailers\r\nConnection: TE\r\n\r\nhello'
    const answer = await exchangeRaw(translated.port, [text], (soFar) => soFar.includes('x-end'))
    expect(answer.text).toContain('HTTP/1.1 200 OK')
    expect(answer.text).toContain('x-method: POST')
    expect(answer.text).toContain('5\r\nhello\r\n0\r\nx-end: reached\r\n\r\n')
    translated.stop()
    await other.stop()
  })
})

describe('over mesh mTLS', () => {
  let app: Http2Application
  let pair: MeshPair

  beforeAll(async () => {
    app = await startHttp2Application()
    pair = await startMeshPair(app.port)
  })

  afterAll(async () => {
    pair.stop()
    await app.stop()
  })

  test('requests pass through two sidecars', async () => {
    const session = connectHttp2(pair.port)
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => ask(session, { ':method': 'POST' }, large.subarray(0, 300_000))),
    )
    for (const { content, trailers } of answers) {
      expect(content.length).toBe(300_000)
      expect(trailers['x-end']).toBe('reached')
    }
    session.destroy()
  })
})

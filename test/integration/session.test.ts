/** A session is with an endpoint, not with its Service: one of several that the balancer would spread requests over. */
import { afterEach, expect, test } from 'vitest'
import type { SessionRule } from '../../proxy/route/route-rule.ts'
import { type HttpApplication, startHttpApplication } from '../support/http-application.ts'
import { HttpClient } from '../support/http-client.ts'
import { forwardRule, setAppEndpoints, startPlainDataPath } from '../support/plain-data-path.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

const session: SessionRule = {
  kind: 'header',
  name: 'X-Session',
  path: '/',
  maxAgeMs: undefined,
  absoluteTimeoutMs: undefined,
  idleTimeoutMs: undefined,
}

async function setUp() {
  const apps: HttpApplication[] = []
  for (let i = 0; i < 5; i++) {
    const app = await startHttpApplication(String(i), (_request, response) => response.end(String(i)))
    cleanups.push(app.stop)
    apps.push(app)
  }
  const ports = apps.map((app) => app.port)
  const rule = { ...forwardRule({ cluster: 'app', weight: 1 }), session }
  const { dataPath, port, stop } = await startPlainDataPath(ports, {}, rule)
  const client = new HttpClient(port)
  cleanups.push(stop, () => client.close())
  const send = async (token?: string) => {
    const headers: Record<string, string> = token === undefined ? {} : { 'x-session': token }
    const { status, body, headers: answered } = await client.send('http://app.test/', { headers })
    return { status, app: body, token: answered['x-session'] as string | undefined }
  }
  return { dataPath, apps, ports, send }
}

test('it stays with its endpoint, while others are spread', async () => {
  const { send } = await setUp()
  const first = await send()
  const own = new Set<string>()
  const others = new Set<string>()
  for (let i = 0; i < 60; i++) {
    own.add((await send(first.token)).app)
    others.add((await send()).app)
  }
  expect(own).toEqual(new Set([first.app]))
  expect(others.size).toBeGreaterThan(1)
})

test('it goes to another endpoint when its own is removed, and stays there', async () => {
  const { dataPath, ports, send } = await setUp()
  const first = await send()
  setAppEndpoints(
    dataPath,
    ports.filter((_port, i) => String(i) !== first.app),
  )
  const second = await send(first.token)
  expect(second.status).toBe(200)
  expect(second.app).not.toBe(first.app)
  for (let i = 0; i < 20; i++) expect((await send(second.token)).app).toBe(second.app)
})

test('it goes to another endpoint when its own cannot be reached', async () => {
  const { apps, send } = await setUp()
  const first = await send()
  await apps[Number(first.app)]?.stop()
  const second = await send(first.token)
  expect(second.status).toBe(200)
  expect(second.app).not.toBe(first.app)
  expect(second.token).not.toBe(first.token)
})

import { request } from 'undici'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { AdminServer } from '../../core/admin-server.ts'
import { createLog } from '../../core/log.ts'
import { createRegistry } from '../../core/metrics.ts'
import type { DataPath } from '../data-path.ts'
import type { ObserveSwitches } from '../observe.ts'
import { addPages } from './pages.ts'

const sampling = { rate: 0.5 }
const accessLog: ObserveSwitches['accessLog'] = { format: 'off', filter: 'all' }
const log = createLog({ process: 'test', level: 'silent' })
let admin: AdminServer
let url: string
let shutdowns: number

beforeEach(async () => {
  admin = new AdminServer({ host: '127.0.0.1', port: 0, log, registry: createRegistry('test') })
  shutdowns = 0
  sampling.rate = 0.5
  Object.assign(accessLog, { format: 'off', filter: 'all' })
  log.level = 'silent'
  addPages({
    admin,
    dataPath: { inboundPorts: [], clusters: { all: () => [] } } as unknown as DataPath,
    identity: undefined,
    config: () => ({}),
    log,
    switches: { sampling, accessLog },
    nowMs: () => 0,
    shutdown: () => void shutdowns++,
  })
  url = `http://127.0.0.1:${(await admin.start()).port}`
})

afterEach(() => admin.stop())

async function ask(method: 'GET' | 'POST', page: string): Promise<{ status: number; text: string }> {
  const { statusCode, body } = await request(`${url}${page}`, { method })
  return { status: statusCode, text: await body.text() }
}

describe('POST /logging', () => {
  test('sets one switch or several, and says what holds', async () => {
    const rest = { accessLog: 'off', accessLogFilter: 'all' }
    const { status, text } = await ask('POST', '/logging?level=error')
    expect([status, JSON.parse(text)]).toEqual([200, { level: 'error', traceSampling: 0.5, ...rest }])
    expect((await ask('POST', '/logging?traceSampling=0.25&level=silent')).status).toBe(200)
    await ask('POST', '/logging?accessLog=json&accessLogFilter=errors')
    expect(JSON.parse((await ask('GET', '/logging')).text)).toEqual({
      level: 'silent',
      traceSampling: 0.25,
      accessLog: 'json',
      accessLogFilter: 'errors',
    })
    expect(accessLog).toEqual({ format: 'json', filter: 'errors' })
  })

  test.each([
    '/logging',
    '/logging?levle=debug',
    '/logging?level=loud',
    '/logging?level=',
    '/logging?traceSampling=',
    '/logging?traceSampling=1.1',
    '/logging?traceSampling=-1',
    '/logging?traceSampling=0x1',
    '/logging?level=debug&traceSampling=much',
    '/logging?accessLog=xml',
    '/logging?accessLog=json&accessLogFilter=some',
  ])('refuses %s and changes nothing', async (page) => {
    expect((await ask('POST', page)).status).toBe(400)
    expect([log.level, sampling.rate, accessLog]).toEqual(['silent', 0.5, { format: 'off', filter: 'all' }])
  })
})

test('/shutdown acts when it is posted to, and only then', async () => {
  expect((await ask('GET', '/shutdown')).status).toBe(405)
  expect(shutdowns).toBe(0)
  expect((await ask('POST', '/shutdown')).status).toBe(202)
  await expect.poll(() => shutdowns).toBe(1)
})

test('/config and /clusters are read without a mesh, too', async () => {
  expect(JSON.parse((await ask('GET', '/config')).text)).toEqual({ identity: null, inbound: [] })
  expect(JSON.parse((await ask('GET', '/clusters')).text)).toEqual([])
})

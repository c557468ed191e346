import { request } from 'node:http'
import { networkInterfaces } from 'node:os'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AdminServer } from './admin-server.ts'
import { createLog } from './log.ts'
import { createRegistry } from './metrics.ts'

const log = createLog({ process: 'test', level: 'silent' })

type Answer = { status: number; body: string; headers: Record<string, unknown> }

function ask(
  port: number,
  method: string,
  path: string,
  options: { host?: string; body?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { host = '127.0.0.1', body, headers = {} } = options
    const call = request({ host, port, method, path, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers }),
      )
    })
    call.on('error', reject)
    call.end(body)
  })
}

describe('AdminServer', () => {
  let admin: AdminServer
  let port: number

  beforeEach(async () => {
    admin = new AdminServer({
      host: '0.0.0.0',
      port: 0,
      log,
      registry: createRegistry('test', { pod: 'web-1' }),
    })
    admin.page('GET', '/config', () => ({ body: { routes: 2 } }))
    admin.page('POST', '/logging', ({ query, body }) => ({ body: `${query.get('level')} ${body}` }))
    admin.page('GET', '/broken', () => {
      throw new Error('a bug')
    })
    ;({ port } = await admin.start())
  })
  afterEach(() => admin.stop())

  it('is live, and ready when every check holds', async () => {
    expect((await ask(port, 'GET', '/live')).status).toBe(200)
    let problem: true | string = 'no certificate yet'
    admin.addCheck('identity', () => problem)
    expect(await ask(port, 'GET', '/ready')).toMatchObject({
      status: 503,
      body: 'identity: no certificate yet\n',
    })
    problem = true
    expect((await ask(port, 'GET', '/ready')).status).toBe(200)
  })

  it('serves pages for local programs to nobody else, and what a kubelet and Prometheus need to everybody', async () => {
    const own = new AdminServer({
      host: '0.0.0.0',
      port: 0,
      log,
      registry: createRegistry('test'),
      audience: 'local',
    })
    own.page('GET', '/config', () => ({ body: 'secret' }))
    own.page('GET', '/probe', () => ({ body: 'well' }), 'everyone')
    const { port: at } = await own.start()
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((one) => one?.family === 'IPv4' && !one.internal)?.address
    try {
      expect((await ask(at, 'GET', '/config')).status).toBe(200)
      expect((await ask(at, 'GET', '/config', { headers: { host: 'evil.example' } })).status).toBe(403)
      // A machine without a network has nobody else to serve.
      if (outside === undefined) return
      const statusOf = async (path: string) => (await fetch(`http://${outside}:${at}${path}`)).status
      expect(await statusOf('/config')).toBe(403)
      for (const path of ['/live', '/ready', '/metrics', '/probe']) expect(await statusOf(path)).toBe(200)
    } finally {
      await own.stop()
    }
  })

  it('serves process metrics with the labels given', async () => {
    const { body } = await ask(port, 'GET', '/metrics')
    expect(body).toMatch(/weft_build_info\{component="test",version="[^"]+",node="[^"]+",pod="web-1"\} 1/)
    expect(body).toMatch(/process_cpu_seconds_total\{pod="web-1"\} 0?\.?\d/)
    expect(body).toMatch(/process_resident_memory_bytes\{pod="web-1"\} \d{7}/)
  })

  it('serves added pages, objects as JSON, and lists them when a path is unknown', async () => {
    const config = await ask(port, 'GET', '/config')
    expect(JSON.parse(config.body)).toEqual({ routes: 2 })
    expect(config.headers['content-type']).toBe('application/json')
    const missing = await ask(port, 'GET', '/nothing')
    expect(missing.status).toBe(404)
    expect(missing.body).toContain('GET /config\n')
    expect(missing.body).toContain('POST /logging')
  })

  it('changes state by POST only', async () => {
    expect(await ask(port, 'GET', '/logging')).toMatchObject({ status: 405, headers: { allow: 'POST' } })
    expect(await ask(port, 'POST', '/logging?level=debug', { body: 'x' })).toMatchObject({
      status: 200,
      body: 'debug x',
    })
  })

  it('lets neither a browser nor another machine change state', async () => {
    expect((await ask(port, 'POST', '/logging', { headers: { origin: 'http://evil.example' } })).status).toBe(
      403,
    )
    const own = Object.values(networkInterfaces())
      .flat()
      .find((entry) => entry?.family === 'IPv4' && !entry.internal)
    if (own === undefined) return
    expect((await ask(port, 'POST', '/logging', { host: own.address })).status).toBe(403)
    expect((await ask(port, 'GET', '/live', { host: own.address })).status).toBe(200)
  })

  it('answers 500 and goes on when a page fails, and 413 when a body is too large', async () => {
    expect((await ask(port, 'GET', '/broken')).status).toBe(500)
    const large = await ask(port, 'POST', '/logging', { body: 'x'.repeat(70_000) })
    expect(large.status).toBe(413)
    expect((await ask(port, 'GET', '/live')).status).toBe(200)
  })

  it('names the address when the port is in use', async () => {
    const second = new AdminServer({ host: '0.0.0.0', port, log, registry: createRegistry('test') })
    await expect(second.start()).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: `admin: 0.0.0.0:${port} is in use`,
    })
  })
})

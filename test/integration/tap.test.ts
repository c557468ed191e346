/** A tap shows what passes a real sidecar, to those who may see it, and is off when nobody looks. */
import http from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TapDrops, TappedExchange } from '../../api/live.ts'
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import { type FileMesh, startFileMesh } from '../support/file-mesh.ts'
import { until } from '../support/route-mesh.ts'

let mesh: FileMesh

beforeAll(async () => {
  mesh = await startFileMesh(['catalog'], { settings: ['--deployment=web'] })
  await mesh.client.send('http://catalog.shop:8080/')
}, 30_000)
afterAll(() => mesh.stop())

type Watching = { readonly lines: (TappedExchange | TapDrops)[]; readonly stop: () => void }

function watch(query: string): Watching {
  const lines: (TappedExchange | TapDrops)[] = []
  const request = http.get(
    { host: '127.0.0.1', port: mesh.plane.running.adminPort, path: `/live/tap?${query}` },
    (response) => {
      let rest = ''
      response.setEncoding('utf8').on('error', () => undefined)
      response.on('data', (piece: string) => {
        const parts = (rest + piece).split('\n')
        rest = parts.pop() as string
        lines.push(...parts.map((line) => JSON.parse(line) as TappedExchange))
      })
    },
  )
  request.on('error', () => undefined)
  return { lines, stop: () => void request.destroy() }
}

/** Sends until the tap is on: it travels to the sidecar first. */
async function sendUntilSeen(path: string, { lines }: Watching): Promise<void> {
  await until('a line', async () => {
    await mesh.client.send(`http://catalog.shop:8080${path}`)
    return lines.length > 0
  })
}

describe('a tap', () => {
  test('shows an exchange with its facts, without its query', async () => {
    const tap = watch('workload=deployment/web&pathPrefix=/seen&direction=outbound&method=get')
    await sendUntilSeen('/seen/it?token=secret', tap)
    tap.stop()
    expect(tap.lines[0]).toMatchObject({
      source: { namespace: 'shop', name: 'web', kind: 'Deployment' },
      direction: 'outbound',
      method: 'GET',
      authority: 'catalog.shop:8080',
      path: '/seen/it',
      status: 200,
      tls: false,
    })
    expect(JSON.stringify(tap.lines)).not.toContain('secret')
  })

  test('shows each viewer what it asked for, and no more a second than it wants; the rest is told', async () => {
    const all = watch('maxPerSecond=5')
    const failures = watch('status=5xx')
    await sendUntilSeen('/', all)
    await until('drops', async () => {
      await Promise.all(Array.from({ length: 20 }, () => mesh.client.send('http://catalog.shop:8080/many')))
      return all.lines.some((line) => 'dropped' in line && line.by === 'viewer')
    })
    all.stop()
    failures.stop()
    expect(failures.lines).toEqual([])
  })

  test('refuses what it does not understand, and pages of others', async () => {
    const { adminPort } = mesh.plane.running
    expect((await fetchText(adminPort, '/live/tap?status=many')).status).toBe(400)
    for (const headers of [{ host: 'rebound.example' }, { origin: 'http://rebound.example' }]) {
      const status = await new Promise((resolve) => {
        http.get({ host: '127.0.0.1', port: adminPort, path: '/live/tap', headers }, (response) => {
          response.resume()
          resolve(response.statusCode)
        })
      })
      expect(status).toBe(403)
    }
  })
})

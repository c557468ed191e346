/** A tap shows what passes a real sidecar, to those who may see it, and is off when nobody looks. */
import http from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import { type FileMesh, startFileMesh } from '../support/file-mesh.ts'
import { until } from '../support/route-mesh.ts'
import { type TapLines, watchTap } from '../support/tap-lines.ts'

let mesh: FileMesh

beforeAll(async () => {
  mesh = await startFileMesh(['catalog'], { settings: ['--deployment=web'] })
  await mesh.client.send('http://catalog.shop:8080/')
}, 30_000)
afterAll(() => mesh.stop())

const watch = (query: string): TapLines => watchTap(mesh.plane.running.adminPort, query)

/** Sends until the tap is on: it travels to the sidecar first. */
async function sendUntilSeen(path: string, { lines }: TapLines): Promise<void> {
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
      grpcStatus: null,
      failed: false,
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
    for (const query of ['status=many', 'grpcStatus=17'])
      expect((await fetchText(adminPort, `/live/tap?${query}`)).status).toBe(400)
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

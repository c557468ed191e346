import { afterEach, expect, test } from 'vitest'
import { AdminServer } from '../../core/admin-server.ts'
import { createLog } from '../../core/log.ts'
import { createRegistry } from '../../core/metrics.ts'
import { addDashboard } from './dashboard.ts'

let admin: AdminServer | undefined

afterEach(() => admin?.stop())

async function startAdmin(): Promise<string> {
  const log = createLog({ process: 'control-plane', level: 'silent' })
  const registry = createRegistry('control-plane')
  admin = new AdminServer({ host: '127.0.0.1', port: 0, log, registry })
  addDashboard(admin, log)
  return `http://127.0.0.1:${(await admin.start()).port}`
}

test('the page and what it loads come from here alone, and the browser is told to see to it', async () => {
  const origin = await startAdmin()
  const page = await fetch(`${origin}/dashboard`)
  expect(page.url).toBe(`${origin}/dashboard/`)
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(page.headers.get('content-security-policy')).toContain("default-src 'self'; base-uri 'none'")
  expect(page.headers.get('cache-control')).toBe('no-cache')
  const html = await page.text()
  const loaded = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url as string)
  expect(loaded.map((url) => url.replace(/-[\w-]{8}\./, '.'))).toEqual([
    './assets/favicon.svg',
    './assets/index.js',
    './assets/index.css',
  ])
  for (const url of loaded) {
    const file = await fetch(new URL(url, page.url))
    expect([url, file.status]).toEqual([url, 200])
    expect(file.headers.get('cache-control')).toContain('immutable')
    expect(file.headers.get('content-type')).toMatch(/^(text\/javascript|text\/css|image\/svg\+xml)/)
  }
}, 60_000)

test('requests that come while the page is built wait for the same build', async () => {
  const origin = await startAdmin()
  const pages = await Promise.all([1, 2, 3].map(() => fetch(`${origin}/dashboard/`)))
  const texts = await Promise.all(pages.map((page) => page.text()))
  expect(pages.map(({ status }) => status)).toEqual([200, 200, 200])
  expect(new Set(texts).size).toBe(1)
}, 60_000)

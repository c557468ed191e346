/** The dashboard over the demo's mesh: real sidecars report, the real control plane tells, and the page has to say the same. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Load, type Tally, count, newTally } from '../../cli/demo/load.ts'
import { DemoMesh } from '../../cli/demo/mesh.ts'
import { launchChromium, openPage } from './chromium.ts'
import { describeWithChromium } from './requirements.ts'

const pauseMs = 20

describeWithChromium('the dashboard over the demo', () => {
  let mesh: DemoMesh
  let browser: Browser
  let url: string
  let goesOn = true
  let sending: Promise<void>
  let tally: Tally = newTally()

  async function send(load: Load): Promise<void> {
    while (goesOn) {
      count(tally, await load.get('http://web:8080/'))
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
    load.close()
  }

  beforeAll(async () => {
    mesh = await DemoMesh.prepare(undefined)
    await mesh.start({ v1: 75, v2: 25 })
    url = `http://${mesh.controlPlaneAddress}/dashboard/`
    await fetch(url)
    browser = await launchChromium()
    sending = send(new Load(mesh.pod('client').outboundPort))
  }, 120_000)

  afterAll(async () => {
    goesOn = false
    await sending
    await browser?.close()
    await mesh?.stop(false)
  })

  test('the graph is that of the demo, all of it by mTLS', { timeout: 60_000 }, async () => {
    const { page, errors } = await openPage(browser, url)
    const nodes = () =>
      page.evaluate<string[]>("[...document.querySelectorAll('.node')].map((node) => node.dataset.id)")
    await expect
      .poll(nodes, { timeout: 40_000 })
      .toEqual([
        'services/shop/catalog',
        'services/shop/catalog-v1',
        'services/shop/catalog-v2',
        'services/shop/inventory',
        'services/shop/web',
        'workloads/shop/client',
      ])
    await expect.poll(() => page.locator('.edge-label .lock.closed').count()).toBe(6)
    expect(errors).toEqual([])
  })

  test('the observed split is the one that clients see, and follows the file', {
    timeout: 90_000,
  }, async () => {
    const { page } = await openPage(browser, `${url}#/services/shop/catalog`)
    const row = (name: string) => page.locator('.split tbody tr', { hasText: name }).locator('td')
    const percent = async (name: string, column: number): Promise<number> =>
      Number.parseFloat((await row(name).nth(column).innerText()).replace(' %', ''))
    await expect.poll(() => percent('catalog-v2', 0), { timeout: 20_000 }).toBe(25)
    await expect.poll(() => percent('catalog-v2', 1), { timeout: 30_000 }).toBeGreaterThan(10)
    mesh.writeSplit({ v1: 0, v2: 100 })
    await expect.poll(() => percent('catalog-v2', 0), { timeout: 20_000 }).toBe(100)
    await expect.poll(() => percent('catalog-v2', 1), { timeout: 40_000 }).toBe(100)
    tally = newTally()
    await expect.poll(() => tally.v2).toBeGreaterThan(5)
    expect(tally.v1).toBe(0)
  })

  test('every sidecar is there, with its identity and its certificate', { timeout: 60_000 }, async () => {
    const { page } = await openPage(browser, `${url}#/sidecars`)
    await expect.poll(() => page.locator('tbody tr').count(), { timeout: 30_000 }).toBe(mesh.pods.length)
    const web = await page.locator('tbody tr', { hasText: 'sa/web' }).innerText()
    expect(web).toMatch(/spiffe:\/\/cluster\.local\/ns\/shop\/sa\/web\s+0\.1\.0\s+.*\s+23 h \d+ min/)
  })
})

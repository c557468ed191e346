/** The dashboard in a real browser, over made-up meshes whose figures are known. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { launchChromium, openPage, seriousViolations } from './chromium.ts'
import { type FixtureDashboard, startFixtureDashboard } from './fixture-dashboard.ts'
import { emptyMesh, shopMesh } from './fixture-mesh.ts'
import { describeWithChromium } from './requirements.ts'

const views = ['#/', '#/connections', '#/services', '#/services/shop/catalog', '#/sidecars', '#/tap'] as const

describeWithChromium('the dashboard', () => {
  let browser: Browser
  let shop: FixtureDashboard
  const started: FixtureDashboard[] = []

  async function start(...fixture: Parameters<typeof startFixtureDashboard>): Promise<FixtureDashboard> {
    const dashboard = await startFixtureDashboard(...fixture)
    started.push(dashboard)
    return dashboard
  }

  beforeAll(async () => {
    browser = await launchChromium()
    shop = await start(shopMesh())
  }, 120_000)

  afterEach(async () => {
    for (const context of browser.contexts()) await context.close()
  })

  afterAll(async () => {
    await browser.close()
    for (const dashboard of started) await dashboard.stop()
  })

  /** Until the view has its figures. */
  async function shown(page: Page): Promise<void> {
    await page.waitForSelector('.connection.live')
    await page.waitForSelector('h1')
  }

  test('it loads nothing from elsewhere and breaks no rule of its own policy', async () => {
    const { page, errors, asked } = await openPage(browser, shop.url)
    for (const view of views) {
      await page.goto(shop.url + view)
      await shown(page)
    }
    expect(errors).toEqual([])
    expect(asked.filter((url) => !url.startsWith(new URL(shop.url).origin))).toEqual([])
  })

  test('the graph shows rate, success, p99 and mTLS on each edge', async () => {
    const { page } = await openPage(browser, shop.url)
    await page.waitForSelector('.edge-label')
    const labels = await page.locator('.edge-label').allInnerTexts()
    expect(labels).toHaveLength(8)
    const payments = labels.find((label) => label.includes('83.0 %'))
    expect(payments).toMatch(/6\.20\/s[^]*83\.0 %[^]*1\.24 s/)
    expect(await page.locator('.edge-label .lock.closed').count()).toBe(6)
    expect(await page.locator('.edge-label .lock.open').count()).toBe(2)
    expect(await page.locator('path.edge.split').count()).toBe(2)
  })

  test('the table of connections tells all that the graph shows', async () => {
    const { page } = await openPage(browser, `${shop.url}#/connections`)
    await page.waitForSelector('tbody tr')
    expect(await page.locator('tbody tr').count()).toBe(8)
    await page.getByRole('button', { name: 'Success' }).click()
    await page.getByRole('button', { name: 'Success' }).click()
    expect(await page.locator('tbody tr').first().innerText()).toMatch(
      /web\s+shop\/payments\s+call\s+6\.20\s+83\.0 %/,
    )
    await page.getByRole('searchbox').fill('ledger')
    expect(await page.locator('tbody tr').count()).toBe(1)
  })

  test('the graph can be walked through with the keyboard alone', async () => {
    const { page } = await openPage(browser, shop.url)
    await page.waitForSelector('.node')
    await page.getByRole('searchbox').focus()
    await page.keyboard.press('Tab')
    const focused = () => page.evaluate<string>("document.activeElement.getAttribute('data-id') ?? ''")
    expect(await focused()).toBe('services/shop/catalog')
    await page.keyboard.press('ArrowLeft')
    expect(await focused()).toBe('services/shop/web')
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('ArrowRight')
    expect(await focused()).toMatch(/catalog-v/)
    await page.keyboard.press('Enter')
    await expect.poll(() => page.evaluate<string>('location.hash')).toMatch(/^#\/services\/shop\/catalog-v/)
    await expect.poll(() => page.evaluate<string>('document.activeElement.id')).toBe('main')
  })

  test("a screen reader is told a node's figures", async () => {
    const { page } = await openPage(browser, shop.url)
    await page.waitForSelector('.node')
    const name = 'payments service in shop, receives 6.20/s requests: success 83.0 % p99 1.24 s'
    expect(await page.getByRole('link', { name, exact: true }).count()).toBe(1)
  })

  test('the page of a service has its split, configured and observed, and the two move live', async () => {
    const { page } = await openPage(browser, `${shop.url}#/services/shop/catalog`)
    const observed = page.locator('.share-bar .bar').nth(1)
    await observed.waitFor()
    expect(await page.locator('.share-bar .bar').first().getAttribute('aria-label')).toBe(
      'Configured: catalog-v1 75.0 %, catalog-v2 25.0 %, catalog-v3 0 %',
    )
    const before = await observed.getAttribute('aria-label')
    expect(before).toMatch(/^Observed: catalog-v1 7\d\.\d %, catalog-v2 2\d\.\d %/)
    await expect.poll(() => observed.getAttribute('aria-label'), { timeout: 30_000 }).not.toBe(before)
    await expect.poll(() => page.locator('.line path').nth(1).getAttribute('d')).toContain('L')
    expect(await page.locator('.conditions').innerText()).toContain("backend 'catalog-v3' is no Service")
  })

  test('the page of a service tells what its workloads received, from clients without a sidecar too', async () => {
    const { page } = await openPage(browser, `${shop.url}#/services/shop/payments`)
    const received = page.getByRole('region', { name: 'Received by its workloads' })
    await received.waitFor()
    expect(await received.locator('tbody tr').innerText()).toMatch(
      /payments[^]*8080\s+21\.0[^]*91\.0 %[^]*12\.0 %/,
    )
  })

  test('the sidecars are there with versions and certificates, and what differs stands out', async () => {
    const { page } = await openPage(browser, `${shop.url}#/sidecars`)
    await page.waitForSelector('tbody tr')
    expect(await page.locator('tbody tr').count()).toBe(6)
    const payments = await page.locator('tbody tr', { hasText: 'payments' }).innerText()
    expect(payments).toMatch(/0\.0\.9 \(differs\)\s+7 h\s+11 min, not renewed/)
  })

  test('a tap asks for what its form says, shows what comes, and ends when it is stopped', async () => {
    const { page } = await openPage(browser, `${shop.url}#/tap`)
    await page.getByLabel('Workload').fill('web')
    await page.getByLabel('Method').selectOption('GET')
    await page.getByRole('button', { name: 'Start' }).click()
    await page.waitForSelector('.exchanges tbody tr')
    expect(shop.taps[0]).toBe('?workload=web&method=GET')
    await page.locator('.disclose').first().click()
    expect(await page.locator('.facts').innerText()).toContain('10.0.3.17:4143')
    await page.getByRole('button', { name: 'Stop' }).click()
    await expect.poll(() => shop.runningTaps()).toBe(0)
  })

  test('a control plane that goes away is told at once, and the last figures stay', async () => {
    const dashboard = await start(shopMesh())
    const { page } = await openPage(browser, dashboard.url)
    await page.waitForSelector('.node')
    dashboard.vanish()
    await page.waitForSelector('.banner')
    expect(await page.locator('.banner').innerText()).toContain('The control plane does not answer.')
    expect(await page.locator('.node').count()).toBe(8)
    expect(await seriousViolations(page)).toEqual([])
  })

  test('a mesh without sidecars says what to do', async () => {
    const dashboard = await start(emptyMesh())
    const { page } = await openPage(browser, dashboard.url)
    await page.waitForSelector('.empty')
    expect(await page.locator('.empty').innerText()).toContain('weft.dev/inject: enabled')
    expect(await seriousViolations(page)).toEqual([])
  })

  test.each(views)('%s fits a window of 360 pixels', async (view) => {
    const { page } = await openPage(browser, shop.url + view, { viewport: { width: 360, height: 740 } })
    await shown(page)
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360)
  })

  test.each((['light', 'dark'] as const).flatMap((scheme) => views.map((view) => [scheme, view] as const)))(
    'axe finds nothing serious: %s %s',
    async (colorScheme, view) => {
      const { page } = await openPage(browser, shop.url + view, { colorScheme })
      await shown(page)
      if (view === '#/tap') {
        await page.getByRole('button', { name: 'Start' }).click()
        await page.locator('.disclose').first().click()
      }
      expect(await seriousViolations(page)).toEqual([])
    },
  )
})

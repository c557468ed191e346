/** Debian's Chromium, driven by playwright-core; what a page does wrong is kept for the test to see. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Root has no sandbox to give; the pages are ours. */
export function launchChromium(): Promise<Browser> {
  const root = process.getuid?.() === 0
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: root ? ['--no-sandbox'] : [] })
}

export type Opened = {
  readonly page: Page
  /** Errors in its console, refusals of its policy among them, and what nobody caught. */
  readonly errors: readonly string[]
  /** Every address that it asked for. */
  readonly asked: readonly string[]
}

export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Opened> {
  const page = await browser.newPage({ viewport: { width: 1360, height: 860 }, ...options })
  const errors: string[] = []
  const asked: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text())
  })
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('request', (request) => asked.push(request.url()))
  await page.goto(url)
  return { page, errors, asked }
}

type Violation = { readonly id: string; readonly impact: string; readonly nodes: readonly { html: string }[] }

/** What axe holds to be serious or critical on the page as it is now. */
export async function seriousViolations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe)
  const violations = await page.evaluate<readonly Violation[]>(
    "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)",
  )
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes[0]?.html}`)
}

/** When the first text was painted, in milliseconds since the page was asked for. */
export function firstPaintMs(page: Page): Promise<number> {
  return page.evaluate<number>(
    `new Promise((resolve) => new PerformanceObserver((list) => resolve(list.getEntries()[0].startTime))
      .observe({ type: 'paint', buffered: true }))`,
  )
}

export type FrameTimes = {
  readonly frames: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly maxMs: number
}

/** The times between the page's frames while `doing` goes on. */
export async function frameTimes(page: Page, doing: () => Promise<void>): Promise<FrameTimes> {
  await page.evaluate(`{
    const frames = (window.frames_ = [])
    let last = performance.now()
    const step = (now) => { frames.push(now - last); last = now; if (window.frames_ === frames) requestAnimationFrame(step) }
    requestAnimationFrame(step)
  }`)
  await doing()
  const all = await page.evaluate<number[]>('{ const all = window.frames_; window.frames_ = undefined; all }')
  const sorted = all.slice(1).toSorted((a, b) => a - b)
  const at = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0
  return { frames: sorted.length, p50Ms: at(0.5), p95Ms: at(0.95), maxMs: at(1) }
}

import { X509Certificate } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLog } from '../../core/log.ts'
import { OutageLog } from '../../core/outage-log.ts'
import { ManualClock } from '../../core/manual-clock.ts'
import type { CertificateIssuer } from './certificate-issuer.ts'
import type { Identity } from './identity.ts'
import { IdentitySource } from './identity-source.ts'
import { FileIdentityStore } from './identity-store.ts'
import { TestRoot } from './test-pki.ts'

const ID = 'spiffe://cluster.local/ns/shop/sa/web'
const HOUR_MS = 3_600_000

let root: TestRoot
beforeAll(async () => void (root = await TestRoot.make()))

describe('IdentitySource', () => {
  let clock: ManualClock
  let lines: string[]
  let sources: IdentitySource[]
  let folder: string

  beforeEach(() => {
    clock = new ManualClock(Math.floor(Date.now() / 1000) * 1000)
    lines = []
    sources = []
    folder = mkdtempSync(join(tmpdir(), 'weft-identity-'))
  })
  afterEach(() => {
    for (const source of sources) source.stop()
    rmSync(folder, { recursive: true })
  })

  /** 0.5 draws the middle: no jitter. */
  const make = (
    issuer: CertificateIssuer,
    options: { random?: () => number; store?: FileIdentityStore } = {},
  ) => {
    const destination = { write: (line: string) => void lines.push(line) }
    const log = createLog({ process: 'test', level: 'trace', destination })
    const source = new IdentitySource({
      principal: ID,
      issuer,
      trustBundlePem: root.pem,
      clock,
      log,
      outages: new OutageLog(log),
      random: () => 0.5,
      ...options,
    })
    sources.push(source)
    return source
  }

  const issuer = (lifetimeMs = 24 * HOUR_MS) => root.issuer(ID, lifetimeMs, () => clock.wallMs())
  /** Key generation and signing run on other threads, which no clock moves. */
  const settled = (check: () => void) => vi.waitFor(check, { interval: 5, timeout: 15_000 })

  it('enrols and publishes an identity with the leaf alone, no root', async () => {
    const source = make(issuer())
    expect(source.readiness()).toBe('no certificate yet')
    await source.start()
    const identity = await source.ready
    expect(identity.principal).toBe(ID)
    expect(identity.certificatePem.match(/BEGIN CERTIFICATE/g)).toHaveLength(1)
    expect(identity.notAfterMs).toBe(clock.wallMs() + 24 * HOUR_MS)
    expect(source.readiness()).toBe(true)
  })

  it('renews at half-life, with a new key, and tells who listens', async () => {
    const source = make(issuer())
    const seen: Identity[] = []
    source.onChange((identity) => seen.push(identity))
    await source.start()
    await clock.advanceAsync(12 * HOUR_MS - 1000)
    expect(seen).toHaveLength(1)
    await clock.advanceAsync(2000)
    await settled(() => expect(seen).toHaveLength(2))
    expect(seen[1]?.keyPem).not.toBe(seen[0]?.keyPem)
    expect(source.current).toBe(seen[1])
    expect(seen[1]?.ticketKeys).toBe(seen[0]?.ticketKeys)
  })

  it.each([
    [0, 0.4],
    [0.999_999, 0.6],
  ])('draws the moment of renewal around half-life (%f -> %f)', async (draw, share) => {
    const signer = issuer()
    const source = make(signer, { random: () => draw })
    await source.start()
    await clock.advanceAsync(24 * HOUR_MS * share - 60_000)
    expect(signer.requests).toHaveLength(1)
    await clock.advanceAsync(120_000)
    await settled(() => expect(signer.requests).toHaveLength(2))
  })

  it('notices within a minute that the wall clock has jumped', async () => {
    const signer = issuer()
    await make(signer).start()
    clock.setWall(clock.wallMs() + 13 * HOUR_MS)
    await clock.advanceAsync(60_000)
    await settled(() => expect(signer.requests).toHaveLength(2))
  })

  it.each([
    ['1 h', HOUR_MS],
    ['2 d', 48 * HOUR_MS],
  ])(
    'makes its certificate anew when the clock was set back by %s, and when it is set forward again',
    async (_by, byMs) => {
      const signer = issuer()
      const source = make(signer)
      await source.start()
      clock.setWall(clock.wallMs() - byMs)
      await clock.advanceAsync(10_000)
      await settled(() => expect(signer.requests).toHaveLength(2))
      await settled(() => expect(source.current?.notBeforeMs).toBeLessThan(clock.wallMs()))
      clock.setWall(clock.wallMs() + byMs + 24 * HOUR_MS)
      await clock.advanceAsync(10_000)
      await settled(() => expect(signer.requests).toHaveLength(3))
      await settled(() => expect(source.readiness()).toBe(true))
    },
  )

  it('asks within 2 s of the control plane being back, and not when nothing is due', async () => {
    let broken = true
    const signer = issuer()
    const source = make({ issue: (csr) => (broken ? Promise.reject(new Error('down')) : signer.issue(csr)) })
    await source.start()
    await clock.advanceAsync(10 * 60_000)
    broken = false
    source.controlPlaneIsBack()
    await clock.advanceAsync(2_000)
    await settled(() => expect(source.readiness()).toBe(true))
    source.controlPlaneIsBack()
    await clock.advanceAsync(60_000)
    expect(signer.requests).toHaveLength(1)
  })

  it('keeps serving the old identity when renewal fails, tries again, and says when it has expired', async () => {
    const signer = issuer(HOUR_MS)
    let broken = false
    const source = make({ issue: (csr) => (broken ? Promise.reject(new Error('down')) : signer.issue(csr)) })
    await source.start()
    const first = source.current
    broken = true
    await clock.advanceAsync(50 * 60_000)
    expect(source.current).toBe(first)
    expect(source.readiness()).toBe(true)
    expect(lines.filter((line) => line.includes('ENROLMENT_FAILED')).length).toBeGreaterThan(10)
    await clock.advanceAsync(20 * 60_000)
    expect(source.current).toBe(first)
    expect(source.readiness()).toBe('the certificate has expired')
    broken = false
    await clock.advanceAsync(60_000)
    await settled(() => expect(source.readiness()).toBe(true))
  })

  /** The lines of a level, parsed. */
  const linesOf = (level: string) =>
    lines.map((line) => JSON.parse(line) as Record<string, string>).filter((line) => line['level'] === level)

  it('tries until it has a first identity, and says why not in one clear line', async () => {
    let attempts = 0
    const signer = issuer()
    const source = make({
      issue: (csr) => (++attempts < 4 ? Promise.reject(new Error('down')) : signer.issue(csr)),
    })
    await source.start()
    expect(source.current).toBeUndefined()
    await clock.advanceAsync(60_000)
    await source.ready
    expect(attempts).toBe(4)
    expect(linesOf('warn')).toEqual([
      expect.objectContaining({
        code: 'ENROLMENT_FAILED',
        reason: 'Error: down',
        msg: expect.stringMatching(/^no certificate could be had.*it is tried again$/),
      }),
    ])
  })

  it('says once that its certificate has expired, and when', async () => {
    let broken = false
    const signer = issuer(HOUR_MS)
    const source = make({
      issue: (csr) => (broken ? Promise.reject(new Error('down')) : signer.issue(csr)),
    })
    await source.start()
    const notAfterMs = source.current?.notAfterMs as number
    broken = true
    await clock.advanceAsync(50 * 60_000)
    expect(linesOf('error')).toEqual([])
    await clock.advanceAsync(2 * HOUR_MS)
    expect(linesOf('error')).toEqual([
      expect.objectContaining({
        code: 'CERTIFICATE_EXPIRED',
        reason: `the certificate of ${ID} ended at ${new Date(notAfterMs).toISOString()}`,
      }),
    ])
  })

  it.each<[string, (own: CertificateIssuer) => Promise<CertificateIssuer>]>([
    ['for another key', async () => ({ issue: async () => [(await root.leaf()).certificatePem] })],
    ['for another identity', async () => root.issuer('spiffe://cluster.local/ns/shop/sa/other')],
    ['of another root', async () => (await TestRoot.make('other')).issuer(ID)],
    ['that has expired', async () => root.issuer(ID, -1000, () => clock.wallMs())],
    ['that is none', async () => ({ issue: async () => [] })],
    [
      'that is garbage',
      async () => ({ issue: async () => ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'] }),
    ],
  ])('does not take a certificate %s', async (_what, bad) => {
    const good = issuer()
    let current: CertificateIssuer = good
    const source = make({ issue: (csr) => current.issue(csr) })
    await source.start()
    const first = source.current
    current = await bad(good)
    await clock.advanceAsync(12 * HOUR_MS)
    await settled(() => expect(lines.some((line) => /CERTIFICATE_(INVALID|EXPIRED)/.test(line))).toBe(true))
    expect(source.current).toBe(first)
  })

  it('never lets the private key out: not in requests, not in logs, not when printed', async () => {
    const signer = issuer()
    const source = make(signer, { store: new FileIdentityStore(folder) })
    await source.start()
    const { keyPem } = await source.ready
    const secret = keyPem.split('\n').slice(1, -2).join('')
    const told = [...signer.requests, ...lines, JSON.stringify(source.current), inspect(source.current)]
    expect(secret.length).toBeGreaterThan(100)
    for (const text of told) {
      expect(text.replace(/\\n|\n/g, '')).not.toContain(secret.slice(40, 80))
      expect(text).not.toContain('PRIVATE KEY')
    }
  })

  describe('with new roots', () => {
    it('replaces contexts and ticket keys, and keeps the certificate as long as it is trusted', async () => {
      const source = make(issuer())
      await source.start()
      const before = source.current
      source.setTrustBundle(`${root.pem}${(await TestRoot.make('second')).pem}`)
      const after = source.current
      expect(after?.bundle.roots).toHaveLength(2)
      expect(after?.certificatePem).toBe(before?.certificatePem)
      expect(after?.secureContext).not.toBe(before?.secureContext)
      expect(after?.ticketKeys).not.toEqual(before?.ticketKeys)
    })

    it('does nothing when the roots are the same in other words', async () => {
      const source = make(issuer())
      await source.start()
      const before = source.current
      source.setTrustBundle(`# a comment\n${root.pem}\n\n${root.pem}`)
      expect(source.current).toBe(before)
    })

    it('refuses a bundle that is not usable, and keeps the old', async () => {
      const source = make(issuer())
      await source.start()
      const before = source.current
      for (const pem of ['', 'garbage', (await root.leaf()).certificatePem]) {
        expect(() => source.setTrustBundle(pem)).toThrow(
          expect.objectContaining({ code: 'CERTIFICATE_INVALID' }),
        )
      }
      expect(source.current).toBe(before)
    })

    it('renews within 10 s when another root issues now, spread, and once', async () => {
      const second = await TestRoot.make('second')
      const signer = second.issuer(ID, 24 * HOUR_MS, () => clock.wallMs())
      let current: CertificateIssuer = issuer()
      const source = make({ issue: (csr) => current.issue(csr) })
      await source.start()
      source.setTrustBundle(root.pem + second.pem)
      const keys = source.current?.ticketKeys
      await clock.advanceAsync(20_000)
      current = signer
      source.setTrustBundle(second.pem + root.pem)
      await clock.advanceAsync(4_900)
      expect(signer.requests).toHaveLength(0)
      await clock.advanceAsync(200)
      await settled(() => expect(source.certificateRoot).toBe(new X509Certificate(second.pem).fingerprint256))
      // The same roots: sessions of before stand for what is trusted still.
      expect(source.current?.ticketKeys).toBe(keys)
      await clock.advanceAsync(60_000)
      expect(signer.requests).toHaveLength(1)
    })

    it('renews again when another root begins to issue while a request is on its way', async () => {
      const second = await TestRoot.make('second')
      const late = Promise.withResolvers<void>()
      let current: CertificateIssuer = issuer()
      const source = make({ issue: (csr) => current.issue(csr) })
      await source.start()
      source.setTrustBundle(root.pem + second.pem)
      const old = issuer()
      current = { issue: async (csr) => late.promise.then(() => old.issue(csr)) }
      await clock.advanceAsync(13 * HOUR_MS)
      current = second.issuer(ID, 24 * HOUR_MS, () => clock.wallMs())
      source.setTrustBundle(second.pem + root.pem)
      late.resolve()
      await settled(() => expect(old.requests).toHaveLength(1))
      await settled(() => expect(source.current?.notAfterMs).toBeGreaterThan(clock.wallMs() + 23 * HOUR_MS))
      await clock.advanceAsync(10_000)
      await settled(() => expect(source.certificateRoot).toBe(new X509Certificate(second.pem).fingerprint256))
    })

    it('renews at once when the certificate in use is none of theirs', async () => {
      const second = await TestRoot.make('second')
      let current: CertificateIssuer = issuer()
      const source = make({ issue: (csr) => current.issue(csr) })
      await source.start()
      const before = source.current
      current = second.issuer(ID)
      source.setTrustBundle(second.pem)
      await clock.advanceAsync(1)
      await settled(() => expect(source.current?.certificatePem).not.toBe(before?.certificatePem))
    })
  })

  describe('after a restart', () => {
    const never: CertificateIssuer = { issue: () => Promise.reject(new Error('the control plane is away')) }

    it('comes back with what it kept, for its owner alone, and renews when that is due', async () => {
      const store = new FileIdentityStore(folder)
      const first = make(issuer(), { store })
      await first.start()
      expect(statSync(join(folder, 'identity.json')).mode & 0o777).toBe(0o600)
      const signer = issuer()
      const second = make(signer, { store })
      await second.start()
      expect(second.current?.certificatePem).toBe(first.current?.certificatePem)
      expect(signer.requests).toHaveLength(0)
      await clock.advanceAsync(12 * HOUR_MS)
      await settled(() => expect(signer.requests).toHaveLength(1))
    })

    it('does not use what has expired, is damaged, or is of other roots', async () => {
      const store = new FileIdentityStore(folder)
      await make(issuer(HOUR_MS), { store }).start()
      const file = join(folder, 'identity.json')
      const kept = readFileSync(file, 'utf8')
      clock.advance(2 * HOUR_MS)
      const expired = make(never, { store })
      await expired.start()
      expect(expired.current).toBeUndefined()
      writeFileSync(file, kept.slice(0, 100))
      const damaged = make(never, { store })
      await damaged.start()
      expect(damaged.current).toBeUndefined()
      expect(lines.join('')).toMatch(/STATE_FILE_INVALID/)
      expect(lines.join('')).not.toContain('PRIVATE KEY')
    })

    it('goes on without a folder to keep it in', async () => {
      writeFileSync(join(folder, 'file'), '')
      const source = make(issuer(), { store: new FileIdentityStore(join(folder, 'file')) })
      await source.start()
      expect(source.readiness()).toBe(true)
      expect(existsSync(join(folder, 'file', 'identity.json'))).toBe(false)
      expect(lines.join('')).toContain('STATE_FOLDER_UNUSABLE')
    })
  })
})

import { X509Certificate } from 'node:crypto'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { splitPem } from '../../api/trust-bundle.ts'
import { createLog } from '../../core/log.ts'
import { ManualClock } from '../../core/manual-clock.ts'
import { MeshTrust } from './mesh-trust.ts'
import { makeRoot } from './root.ts'
import { StateFolder } from './state-folder.ts'
import type { Trust } from './trust.ts'
import { ExternalTrust, TrustFiles } from './trust-files.ts'
import { TrustFolder } from './trust-folder.ts'
import type { TrustStore } from './trust-store.ts'

const trustDomain = 'cluster.local'
const log = createLog({ process: 'test', level: 'silent' })
const clock = new ManualClock(Math.floor(Date.now() / 1000) * 1000)

let folder: string
let opened: MeshTrust[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-trust-'))
  opened = []
})
afterEach(() => {
  for (const trust of opened) trust.stop()
  rmSync(folder, { recursive: true })
})

const folderStore = () => new TrustFolder({ folder: new StateFolder(folder), trustDomain, clock, log })
async function open(store: TrustStore = folderStore(), followed = () => true) {
  const trust = await MeshTrust.open({ store, trustDomain, clock, log, followed })
  opened.push(trust)
  return trust
}
const file = (name: string) => join(folder, name)
const rootsOf = ({ bundlePem }: Trust) =>
  splitPem(bundlePem).map((pem) => new X509Certificate(pem).fingerprint256)

describe('a rotation in the state folder', () => {
  it('goes through four phases: the new root is trusted before it issues, the old one until it does not', async () => {
    const trust = await open()
    const told: Trust[] = []
    trust.onChange((now) => told.push(now))
    const [old = ''] = rootsOf(trust.current)
    const both = await trust.advance('new-trusted')
    expect(both).toMatchObject({ phase: 'new-trusted', issuingRoot: old })
    const [, next = ''] = rootsOf(both)
    expect(rootsOf(both)).toEqual([old, next])
    const issues = await trust.advance('new-issues')
    expect(issues).toMatchObject({ phase: 'new-issues', issuingRoot: next, bundle: both.bundle })
    expect(rootsOf(issues)).toEqual([next, old])
    const done = await trust.advance('steady')
    expect(done).toMatchObject({ phase: 'steady', issuingRoot: next })
    expect(rootsOf(done)).toEqual([next])
    expect(told.map(({ phase }) => phase)).toEqual(['new-trusted', 'new-issues', 'steady'])
  })

  it('is in the same phase, with the same keys, after a restart in each of them', async () => {
    for (const phase of ['new-trusted', 'new-issues', 'steady'] as const) {
      const before = await (await open()).advance(phase)
      const { issuer, ...rest } = (await open()).current
      expect(rest).toEqual({ ...before, issuer: undefined, ...rest })
      expect(issuer.rootPem).toBe(before.issuer.rootPem)
    }
  })

  it('keeps keys for the owner alone, gives sidecars every root, and keeps no old key', async () => {
    const trust = await open()
    const both = await trust.advance('new-trusted')
    expect(readFileSync(file('root-cert.pem'), 'utf8')).toBe(both.bundlePem)
    expect(existsSync(file('root-key.pem'))).toBe(false)
    expect(statSync(file('trust.json')).mode & 0o777).toBe(0o600)
    await trust.advance('new-issues')
    await trust.advance('steady')
    expect(readFileSync(file('trust.json'), 'utf8').match(/PRIVATE KEY-----\\n/g)).toHaveLength(2)
  })

  it('finishes what a process that ended in the middle of a change has begun', async () => {
    const both = await (await open()).advance('new-trusted')
    writeFileSync(file('root-cert.pem'), 'half')
    expect(rootsOf((await open()).current)).toEqual(rootsOf(both))
    expect(readFileSync(file('root-cert.pem'), 'utf8')).toBe(both.bundlePem)
  })

  it('skips no phase, and refuses the second of two that lead it at once', async () => {
    const [one, other] = [await open(), await open()]
    await expect(one.advance('new-issues')).rejects.toMatchObject({ code: 'ROTATION_REFUSED' })
    await one.advance('new-trusted')
    await expect(other.advance('new-trusted')).rejects.toMatchObject({ code: 'ROTATION_REFUSED' })
    expect(other.current.bundle).toBe(one.current.bundle)
  })

  it('is noticed by another process within seconds', async () => {
    const [one, other] = [await open(), await open()]
    other.watch()
    await one.advance('new-trusted')
    await clock.advanceAsync(2_000)
    await expect.poll(() => other.current.bundle).toBe(one.current.bundle)
  })

  it.each([
    ['is damaged', '{"tls.key": '],
    ['holds something else', '{"tls.key": 7}'],
    ['holds half a pair', '{"tls.key": "x"}'],
    ['is empty', '{}'],
    ['is null', 'null'],
  ])('refuses to start with a file that %s, and quotes none of it', async (_what, text) => {
    writeFileSync(file('trust.json'), text, { mode: 0o600 })
    await expect(open()).rejects.toMatchObject({ code: 'STATE_FILE_INVALID' })
  })

  it('keeps what is in force when the file is damaged later, and refuses one that others may read', async () => {
    const trust = await open()
    const { bundle } = await trust.advance('new-trusted')
    writeFileSync(file('trust.json'), 'garbage', { mode: 0o600 })
    await trust.refresh()
    expect(trust.current.bundle).toBe(bundle)
    chmodSync(file('trust.json'), 0o604)
    await expect(open()).rejects.toMatchObject({ code: 'STATE_FILE_EXPOSED' })
  })
})

describe("a user's own issuer", () => {
  const files = { key: 'issuer-key.pem', certificate: 'issuer.pem', bundle: 'bundle.pem' }
  const store = () =>
    new TrustFiles({ key: file(files.key), certificate: file(files.certificate), bundle: file(files.bundle) })
  const offer = (issuer: { keyPem: string; certificatePem: string }, ...roots: string[]) => {
    writeFileSync(file(files.key), issuer.keyPem, { mode: 0o600 })
    writeFileSync(file(files.certificate), issuer.certificatePem)
    writeFileSync(file(files.bundle), roots.join(''))
  }
  const make = () => makeRoot(trustDomain, clock)

  it('is taken into use step by step when all of it is replaced at once', async () => {
    const [old, next] = [await make(), await make()]
    offer(old, old.certificatePem)
    let followed = true
    const trust = await open(store(), () => followed)
    const [oldRoot = ''] = rootsOf(trust.current)
    offer(next, next.certificatePem)
    await trust.refresh()
    expect(trust.current).toMatchObject({ phase: 'new-trusted', issuingRoot: oldRoot })
    expect(rootsOf(trust.current)).toHaveLength(2)
    followed = false
    await trust.refresh()
    expect(trust.current.phase).toBe('new-trusted')
    followed = true
    await trust.refresh()
    expect(trust.current.phase).toBe('new-issues')
    expect(trust.current.issuingRoot).not.toBe(oldRoot)
    expect(rootsOf(trust.current)).toHaveLength(2)
    followed = false
    await trust.refresh()
    expect(rootsOf(trust.current)).toHaveLength(2)
    followed = true
    await trust.refresh()
    expect(trust.current.phase).toBe('steady')
    expect(rootsOf(trust.current)).not.toContain(oldRoot)
  })

  it('is not led by weft', async () => {
    const own = await make()
    offer(own, own.certificatePem)
    await expect((await open(store())).advance('new-trusted')).rejects.toMatchObject({
      code: 'ROTATION_REFUSED',
    })
  })

  it('has to be a whole: files that do not belong together change nothing, and start nothing', async () => {
    const [own, other] = [await make(), await make()]
    offer(own, own.certificatePem)
    const trust = await open(store())
    const { bundle } = trust.current
    for (const offered of [
      () => offer({ ...own, keyPem: other.keyPem }, own.certificatePem),
      () => offer(own, other.certificatePem),
      () => offer(own, ''),
      () => offer({ ...own, certificatePem: 'garbage' }, own.certificatePem),
      () => rmSync(file(files.bundle)),
    ]) {
      offered()
      await trust.refresh()
      expect(trust.current.bundle).toBe(bundle)
      await expect(open(store())).rejects.toMatchObject({
        code: expect.stringMatching(/^(STATE_FILE_INVALID|FILE_UNREADABLE)$/),
      })
    }
  })
})

it('with an external CA the bundle is that of the file, and our own root signs for the control plane alone', async () => {
  const theirs = await makeRoot(trustDomain, clock)
  writeFileSync(file('theirs.pem'), theirs.certificatePem)
  const { current } = await open(new ExternalTrust(folderStore(), file('theirs.pem')))
  expect(current.issuesToWorkloads).toBe(false)
  expect(rootsOf(current)).toEqual([new X509Certificate(theirs.certificatePem).fingerprint256])
  expect(splitPem(current.controlPlanePem)).toHaveLength(2)
})

import { expect, test } from 'vitest'
import { createLog } from '../core/log.ts'
import { ManualClock } from '../core/manual-clock.ts'
import { withCertificate } from './ca-bundle.ts'
import { certificateLifetimeMs, makeWebhookCertificate } from './webhook-certificate.ts'
import { WebhookIdentity } from './webhook-identity.ts'

const log = createLog({ process: 'test', level: 'silent' })
const names = ['weft-injector.weft.svc']

/** Until everything that is under way has come to rest; keys are made off the event loop. */
async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 1_000 && !holds(); i++) await new Promise((resolve) => void setTimeout(resolve, 5))
  expect(holds()).toBe(true)
}

async function makeIdentity(register: (pem: string) => Promise<void>) {
  const clock = new ManualClock()
  const served: string[] = []
  const identity = await WebhookIdentity.make({
    dnsNames: names,
    clock,
    log,
    register,
    onReplaced: ({ certificatePem }) => void served.push(certificatePem),
  })
  return { clock, served, identity }
}

test('at half its life a new certificate is made known, and served only when that has settled', async () => {
  const registered: string[] = []
  const { clock, served, identity } = await makeIdentity((pem) => {
    registered.push(pem)
    return Promise.resolve()
  })
  const first = identity.certificate.certificatePem
  await identity.start()
  expect(identity.readiness()).toBe(true)
  clock.advance(30_000)
  await until(() => registered.length === 2)
  expect(new Set(registered)).toEqual(new Set([first]))
  await until(() => clock.pending > 0)
  clock.advance(certificateLifetimeMs / 2)
  await until(() => registered.length === 4)
  const next = registered.at(-1) as string
  expect(next).not.toBe(first)
  expect(served).toEqual([])
  await until(() => clock.pending > 0)
  clock.advance(10_000)
  await until(() => served.length === 1)
  expect(served).toEqual([next])
  expect(identity.certificate.certificatePem).toBe(next)
  identity.stop()
})

test('it is not ready until it is known, tries again, and stays ready when the API server is away later', async () => {
  let isAway = true
  let calls = 0
  const { clock, identity } = await makeIdentity(() => {
    calls++
    return isAway ? Promise.reject(new Error('away')) : Promise.resolve()
  })
  await identity.start()
  expect(identity.readiness()).toBe('away')
  isAway = false
  clock.advance(500)
  await until(() => identity.readiness() === true)
  isAway = true
  const before = calls
  await until(() => clock.pending > 0)
  clock.advance(30_000)
  await until(() => calls > before)
  expect(identity.readiness()).toBe(true)
  identity.stop()
})

test('the bundle keeps what is alive, drops what has expired or is none, and does not grow without end', async () => {
  const make = async (nowMs: number) => (await makeWebhookCertificate(names, nowMs)).certificatePem
  const dayMs = 86_400_000
  const [old, living, ours] = [await make(0), await make(5 * dayMs), await make(10 * dayMs)]
  let bundle = ''
  for (const [pem, atMs] of [
    [old, 0],
    [living, 5 * dayMs],
    [ours, 10 * dayMs],
  ] as const)
    bundle = withCertificate(bundle, pem, atMs)
  expect(Buffer.from(bundle, 'base64').toString()).toBe(`${living.trim()}\n${ours.trim()}\n`)
  expect(withCertificate(bundle, ours, 10 * dayMs)).toBe(bundle)
  const damaged = Buffer.from(`no PEM at all\n${living}`).toString('base64')
  expect(Buffer.from(withCertificate(damaged, ours, 10 * dayMs), 'base64').toString()).toContain(
    living.trim(),
  )
  for (let i = 0; i < 30; i++) bundle = withCertificate(bundle, await make(10 * dayMs), 10 * dayMs)
  expect(Buffer.from(bundle, 'base64').toString().match(/BEGIN/g)).toHaveLength(24)
})

/**
 * A client that keeps to its windows always has credit for a stream that moves on, whatever else it has sent: nothing
 * tells it to wait but windows, so that credit that is missing once is missing for good.
 */
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { crowdedParkedBytes, strangerFlow, trustedFlow } from '../../proxy/http2/flow-limits.ts'
import { flowMemory } from '../../proxy/http2/flow-memory.ts'
import { initialConnectionWindowBytes, maxStreamWindowBytes } from '../../proxy/http2/limits.ts'
import { WindowedUploads } from '../support/http2-uploads.ts'

const mebibyte = 1024 * 1024
/** Of a stream at first. */
const windowBytes = 262_288
const everything = Number.MAX_SAFE_INTEGER
/** The last: how many of its streams get the largest window. */
const clients = [
  ['a client without an identity', undefined, 256, strangerFlow, 1],
  ['another sidecar', 'spiffe://cluster.local/ns/a/sa/b', 1000, trustedFlow, 6],
] as const

let client: WindowedUploads

afterEach(() => client.destroy())

/** Sends all it may, and hears of its windows only when it may send no more, until that changes nothing. */
async function sendAll(ids: readonly number[]): Promise<number> {
  let total = 0
  for (;;) {
    const sent = ids.reduce((sum, id) => sum + client.send(id, everything), 0)
    if (sent === 0) return total
    total += sent
    await client.hear()
  }
}

/** Sends `bytes` on a stream that is read; how many its windows let through. */
async function pass(id: number, bytes: number): Promise<number> {
  let left = bytes
  for (let heard = 0; left > 0 && heard < 4; heard++) {
    const sent = client.send(id, left)
    left -= sent
    if (sent > 0) heard = 0
    await client.hear()
  }
  return bytes - left
}

/** Streams that are read so fast that their windows grow. */
async function growWindows(count: number): Promise<number[]> {
  const ids = Array.from({ length: count }, () => client.begin(true))
  for (let round = 0; round < 12; round++) for (const id of ids) await pass(id, mebibyte)
  return ids
}

describe.each(clients)('%s', (_, principal, streams, limits, largest) => {
  test('has credit for a stream that is read while all others have sent what they may, and stand still', async () => {
    client = new WindowedUploads(principal)
    await client.hear()
    const grown = await growWindows(largest)
    for (const id of grown) client.setRead(id, false)
    const healthy = client.begin(true)
    const others = Array.from({ length: streams - 1 - largest }, () => client.begin(false))
    // It knows of all credit when its windows are lowered; those that are large last, as more of them is left then.
    let parked = 0
    for (const id of others) {
      if (parked > limits.lowerAboveBytes - windowBytes) break
      parked += await pass(id, windowBytes)
    }
    parked += await sendAll([...others, ...grown])
    expect(parked).toBeGreaterThan(0.85 * limits.maxParkedBytes)
    expect(client.open).toBe(true)
    // Nothing of it is withheld.
    expect(client.window).toBeGreaterThan(0.85 * limits.maxWindowBytes)
    expect(await pass(healthy, 2 * mebibyte)).toBe(2 * mebibyte)
  })

  test('has it after any sequence of streams that stand still, move on, are reset, and are padded', async () => {
    const step = fc.record({
      act: fc.constantFrom('send', 'send', 'send', 'begin', 'hear', 'toggle', 'reset', 'wait', 'grow'),
      pick: fc.nat(1000),
      kib: fc.nat(600),
      padding: fc.constantFrom(0, 0, 1, 255),
    })
    const check = async (steps: readonly Step[]): Promise<void> => {
      client = new WindowedUploads(principal)
      await client.hear()
      const healthy = client.begin(true)
      const others = new Set(Array.from({ length: 40 }, () => client.begin(false)))
      for (const one of steps) await take(one, others)
      for (const id of others) client.setRead(id, false)
      await sendAll([...others])
      expect(client.open).toBe(true)
      expect(await pass(healthy, mebibyte)).toBe(mebibyte)
      for (const id of others) client.setRead(id, true)
      await client.hear()
      // All of its window, but what is not worth a frame.
      expect(client.window).toBeGreaterThan(4 * windowBytes * 0.85)
      client.destroy()
    }
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 40, maxLength: 100 }), check), {
      numRuns: 6,
    })
  })
})

test('a window that was lowered grows no further than any other', async () => {
  client = new WindowedUploads('spiffe://cluster.local/ns/a/sa/b')
  await client.hear()
  const id = client.begin(true)
  await pass(id, mebibyte)
  await sendAll(Array.from({ length: 100 }, () => client.begin(false)))
  await pass(id, 64 * mebibyte)
  expect(client.windowOf(id)).toBeLessThanOrEqual(maxStreamWindowBytes)
  expect(client.windowOf(id)).toBeGreaterThan(maxStreamWindowBytes / 2)
})

test('what a client without an identity has said to its end counts until it has moved on', async () => {
  client = new WindowedUploads(undefined)
  await client.hear()
  const ids = Array.from({ length: 250 }, () => client.begin(false))
  let parked = 0
  for (const id of ids) {
    parked += await pass(id, windowBytes)
    client.end(id)
  }
  expect(parked).toBeLessThan(strangerFlow.maxParkedBytes)
  for (const id of ids) client.setRead(id, true)
  client.clock.advance(1000)
  // Its windows are what they were once it has moved on.
  const next = client.begin(true)
  await pass(next, mebibyte)
  expect(client.windowOf(next)).toBeGreaterThan(windowBytes / 2)
})

test('padding is credited like content', async () => {
  client = new WindowedUploads(undefined)
  await client.hear()
  const id = client.begin(true)
  const frames = (2 * windowBytes) / 256
  for (let i = 0; i < frames; i++) {
    expect(client.send(id, 1, 255)).toBe(1)
    if (i % 100 === 0) await client.hear()
  }
})

type Step = {
  readonly act: 'send' | 'begin' | 'hear' | 'toggle' | 'reset' | 'wait' | 'grow'
  readonly pick: number
  readonly kib: number
  readonly padding: number
}

async function take({ act, pick, kib, padding }: Step, ids: Set<number>): Promise<void> {
  const id = [...ids][pick % ids.size]
  if (act === 'hear') return client.hear()
  if (act === 'wait') return client.clock.advance(pick)
  if (act === 'begin' && ids.size < 250) ids.add(client.begin(pick % 2 === 0))
  if (id === undefined) return
  if (act === 'send') client.send(id, kib * 1024, padding)
  if (act === 'toggle') client.setRead(id, !client.isRead(id))
  if (act === 'grow') {
    client.setRead(id, true)
    await pass(id, 4 * kib * 1024)
  }
  if (act === 'reset') {
    client.reset(id)
    ids.delete(id)
  }
}

describe('where memory is short', () => {
  let elsewhereBytes = 0

  /** So much waits on other connections. */
  const crowd = (bytes: number): void => {
    flowMemory.hold(bytes - elsewhereBytes)
    elsewhereBytes = bytes
  }

  beforeEach(() => crowd(33 * mebibyte))
  afterEach(() => crowd(0))

  test('streams that stand still take their share of the window, and leave the rest to those that are read', async () => {
    client = new WindowedUploads(undefined)
    await client.hear()
    const healthy = client.begin(true)
    // Less is left than what else is worth telling of.
    let left = crowdedParkedBytes + initialConnectionWindowBytes - 64 * 1024
    while (left > 0) {
      left -= client.send(client.begin(false), left)
      await client.hear()
    }
    expect(await pass(healthy, 2 * mebibyte)).toBe(2 * mebibyte)
  })

  test('a connection that stands still goes on when there is memory again, although none of its streams moves', async () => {
    client = new WindowedUploads(undefined)
    await client.hear()
    const healthy = client.begin(true)
    await sendAll(Array.from({ length: 200 }, () => client.begin(false)))
    expect(await pass(healthy, mebibyte)).toBeLessThan(mebibyte)
    crowd(0)
    await client.hear()
    expect(await pass(healthy, mebibyte)).toBe(mebibyte)
  })
})

test('what one connection can hold is bounded: 16 MiB of a client without an identity, 64 MiB of another sidecar', () => {
  expect(strangerFlow.maxParkedBytes).toBeLessThan(16 * mebibyte)
  expect(trustedFlow.maxParkedBytes).toBeLessThan(64 * mebibyte)
})

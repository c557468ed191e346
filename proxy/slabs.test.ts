import { Buffer } from 'node:buffer'
import { expect, test } from 'vitest'
import { giveBack, lendCopy } from './slabs.ts'

const sizes = [0, 1, 4095, 4096, 16 * 1024, 16 * 1024 + 1, 64 * 1024, 64 * 1024 + 1, 1024 * 1024]

test.each(sizes)('a copy of %i bytes stays when what it was made of changes', (bytes) => {
  const original = Buffer.alloc(bytes, 'a')
  const copy = lendCopy(original)
  original.fill('b')
  expect(copy.equals(Buffer.alloc(bytes, 'a'))).toBe(true)
  giveBack(copy)
})

test('copies that are out share no memory', () => {
  const copies = Array.from({ length: 200 }, (_, i) => lendCopy(Buffer.alloc(5000 + 100 * i, i)))
  expect(copies.every((copy, i) => copy.equals(Buffer.alloc(5000 + 100 * i, i)))).toBe(true)
  for (const copy of copies) giveBack(copy)
})

test('what is given back is lent again', () => {
  const copy = lendCopy(Buffer.alloc(10_000))
  giveBack(copy)
  expect(lendCopy(Buffer.alloc(16_000)).buffer).toBe(copy.buffer)
})

test('no more than a turn of the event loop needs is kept', () => {
  const copies = Array.from({ length: 100 }, () => lendCopy(Buffer.alloc(60_000)))
  const memory = new Set(copies.map((copy) => copy.buffer))
  for (const copy of copies) giveBack(copy)
  const again = Array.from({ length: 100 }, () => lendCopy(Buffer.alloc(60_000)))
  expect(again.filter((copy) => memory.has(copy.buffer)).length).toBe(64)
  for (const copy of again) giveBack(copy)
})

test("a part of Node's own pool is never taken for one that was lent", () => {
  const pooled = Buffer.concat([Buffer.alloc(3000, 'a'), Buffer.alloc(3000, 'a')])
  giveBack(pooled)
  giveBack(Buffer.alloc(64 * 1024))
  const lent = Array.from({ length: 200 }, () => lendCopy(Buffer.alloc(60_000, 'b')))
  expect(pooled.equals(Buffer.alloc(6000, 'a'))).toBe(true)
  expect(lent.some((copy) => copy.buffer === pooled.buffer)).toBe(false)
})

import { Buffer } from 'node:buffer'
import { expect, test } from 'vitest'
import { HeldContent } from './held-content.ts'

/** All that waits, taken in parts of at most `most` bytes. */
function takeAll(held: HeldContent, most: number): string {
  let text = ''
  while (held.bytes > 0) {
    const { start } = held
    const end = Math.min(held.end, start + most)
    text += held.chunk.latin1Slice(start, end)
    held.take(end - start)
  }
  return text
}

const sizes = [1, 100, 1023, 1024, 1025, 16_375, 16_384, 65_536, 200_000]

test.each(sizes)('pieces of %i bytes come out as they went in, whatever is taken at a time', (size) => {
  for (const most of [1000, 16_375, 1_000_000]) {
    const held = new HeldContent()
    const pieces = Array.from({ length: 5 }, (_, i) => String(i).repeat(size))
    for (const piece of pieces) held.add(Buffer.from(piece), 0)
    expect(held.bytes).toBe(5 * size)
    expect(takeAll(held, most)).toBe(pieces.join(''))
  }
})

test('what is added while some is taken waits behind it', () => {
  const held = new HeldContent()
  let put = ''
  let taken = ''
  for (let i = 0; i < 2000; i++) {
    const piece = String(i).repeat(1 + (i % 50))
    put += piece
    held.add(Buffer.from(`xx${piece}`), 2)
    if (i % 3 === 0) continue
    const { start } = held
    const end = Math.min(held.end, start + 60)
    taken += held.chunk.latin1Slice(start, end)
    held.take(end - start)
  }
  expect(taken + takeAll(held, 100)).toBe(put)
})

test('memory goes by the bytes, and not by how many pieces they came in', () => {
  const held = new HeldContent()
  const crumb = Buffer.from('x')
  const before = process.memoryUsage()
  for (let i = 0; i < 500_000; i++) held.add(crumb, 0)
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  expect(held.bytes).toBe(500_000)
  expect(heapUsed + arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(8 * 1024 * 1024)
})

test('what nobody wants is gone, and the next to come is the first', () => {
  const held = new HeldContent()
  held.add(Buffer.alloc(100_000), 0)
  held.drop()
  expect(held.bytes).toBe(0)
  held.add(Buffer.from('next'), 0)
  expect(takeAll(held, 10)).toBe('next')
})

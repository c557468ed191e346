import { expect, test } from 'vitest'
import { seededRandom } from '../../proxy/cluster/test-clusters.ts'
import { answerAt, type Behaviour } from './behaviour.ts'

const usual: Behaviour = { medianMs: 167, deviationMs: 14, trouble: undefined }

test('latencies lie around the middle: half below 167 ms, nineteen of twenty below 190 ms', () => {
  const random = seededRandom()
  const delays = Array.from({ length: 10_000 }, () => answerAt(usual, 0, random).delayMs).toSorted(
    (a, b) => a - b,
  )
  expect(delays[5_000]).toBeCloseTo(167, -0.5)
  expect(Math.abs((delays[9_500] ?? 0) - 190)).toBeLessThan(2)
})

test('trouble lasts from its first second to before its last', () => {
  const stuck = { fromSecond: 15, toSecond: 45, kind: 'stuck', stuckMs: 2_000 } as const
  const at = (second: number) => answerAt({ ...usual, trouble: stuck }, second, seededRandom())
  expect([at(14.9).delayMs < 1_000, at(15).delayMs, at(44.9).delayMs, at(45).delayMs < 1_000]).toEqual([
    true,
    2_000,
    2_000,
    true,
  ])
  const failing = { ...stuck, kind: 'failing' } as const
  expect(answerAt({ ...usual, trouble: failing }, 20, seededRandom()).status).toBe(500)
})

import { expect, test } from 'vitest'
import { phasesOf, Timeline } from './timeline.ts'

const sum = (phases: ReturnType<typeof phasesOf>): number => Object.values(phases).reduce((a, b) => a + b, 0)

test.each([
  [
    'over a connection that was there',
    { sentMs: 12, repliedMs: 20 },
    { queueMs: 2, connectMs: 0, tlsMs: 0, waitMs: 8, streamMs: 5 },
  ],
  [
    'over a new one in clear',
    { connectedMs: 15, sentMs: 15, repliedMs: 20 },
    { queueMs: 2, connectMs: 3, tlsMs: 0, waitMs: 5, streamMs: 5 },
  ],
  [
    'over a new one with TLS',
    { connectedMs: 13, securedMs: 18, sentMs: 18, repliedMs: 20 },
    { queueMs: 2, connectMs: 1, tlsMs: 5, waitMs: 2, streamMs: 5 },
  ],
  ['that never got a connection', {}, { queueMs: 2, connectMs: 13, tlsMs: 0, waitMs: 0, streamMs: 0 }],
  ['that got no reply', { sentMs: 12 }, { queueMs: 2, connectMs: 0, tlsMs: 0, waitMs: 13, streamMs: 0 }],
])('the time of an attempt %s is told apart', (_what, times, phases) => {
  const timeline = new Timeline()
  Object.assign(timeline.begin('catalog', '10.0.0.7:80', undefined, 12), times)
  expect(phasesOf(timeline, 10, 25)).toEqual(phases)
  expect(sum(phases)).toBe(15)
})

test('an exchange that was never sent has waited all of its time', () => {
  expect(phasesOf(new Timeline(), 10, 25)).toMatchObject({ queueMs: 15, waitMs: 0 })
})

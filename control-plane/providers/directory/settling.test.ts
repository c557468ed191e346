import { describe, expect, it } from 'vitest'
import { gone, goneRestMs, longestMs, restMs, Settling } from './settling.ts'

describe('Settling', () => {
  it('lets a file count once it has rested', () => {
    const settling = new Settling()
    expect(settling.look('a', '1', 0)).toBe(restMs)
    expect(settling.look('a', '1', restMs - 1)).toBe(1)
    expect(settling.look('a', '1', restMs)).toBe(0)
  })

  it('begins anew with each step of a writer, and for each change', () => {
    const settling = new Settling()
    settling.look('a', 'truncated', 0)
    expect(settling.look('a', 'half', restMs - 1)).toBe(restMs)
    expect(settling.look('a', 'whole', 2 * restMs - 2)).toBe(restMs)
    expect(settling.look('a', 'whole', 3 * restMs - 2)).toBe(0)
    expect(settling.look('a', 'next', 100)).toBe(restMs)
  })

  it('waits longer for the successor of a file that is gone', () => {
    const settling = new Settling()
    expect(settling.look('a', gone, 0)).toBe(goneRestMs)
    expect(settling.look('a', 'back', 100)).toBe(restMs)
    settling.forget('a')
    settling.look('a', gone, 200)
    expect(settling.look('a', gone, 200 + goneRestMs)).toBe(0)
  })

  it('does not wait for ever for a file that never rests', () => {
    const settling = new Settling()
    let now = 0
    while (settling.look('a', String(now), now) > 0) now += 5
    expect(now).toBe(longestMs)
  })

  it('keeps files apart', () => {
    const settling = new Settling()
    settling.look('a', '1', 0)
    expect(settling.look('b', '1', restMs)).toBe(restMs)
    expect(settling.look('a', '1', restMs)).toBe(0)
  })
})

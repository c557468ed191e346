import { describe, expect, it } from 'vitest'
import type { RouteStatus } from '../model/route-status.ts'
import { controllerName, mergedConditions, mergedRouteStatus } from './merged-status.ts'

const seen = { generation: 7, now: '2026-01-02T00:00:00Z' }
const since = '2026-01-01T00:00:00Z'
const parentRef = { group: '', kind: 'Service', name: 'catalog' }

const route = (status: 'True' | 'False'): RouteStatus => ({
  kind: 'HTTPRoute',
  namespace: 'shop',
  name: 'r',
  parents: [{ parentRef, conditions: [{ type: 'Accepted', status, reason: 'Accepted', message: '' }] }],
})
const written = (status: string, generation: number, lastTransitionTime: string) => ({
  parentRef,
  controllerName,
  conditions: [
    {
      type: 'Accepted',
      status,
      reason: 'Accepted',
      message: '',
      observedGeneration: generation,
      lastTransitionTime,
    },
  ],
})

describe("a route's status", () => {
  const theirs = { parentRef, controllerName: 'example.com/other', conditions: [{ type: 'Accepted' }] }

  it('is ours beside what others say of the same parent', () => {
    expect(mergedRouteStatus({ parents: [theirs] }, route('True'), seen)).toEqual({
      parents: [theirs, written('True', 7, seen.now)],
    })
  })

  it('keeps since when a condition holds, and counts anew when it changes', () => {
    const before = { parents: [written('True', 6, since)] }
    expect(mergedRouteStatus(before, route('True'), seen)).toEqual({ parents: [written('True', 7, since)] })
    expect(mergedRouteStatus(before, route('False'), seen)).toEqual({
      parents: [written('False', 7, seen.now)],
    })
  })

  it('loses our entry when there is no parent of ours any more', () => {
    const before = { parents: [theirs, written('True', 6, since)] }
    expect(mergedRouteStatus(before, { ...route('True'), parents: [] }, seen)).toEqual({ parents: [theirs] })
  })

  it.each([undefined, null, 'text', { parents: 'text' }])('is made from nothing: %j', (current) => {
    expect(mergedRouteStatus(current, route('True'), seen)).toMatchObject({
      parents: [written('True', 7, seen.now)],
    })
  })
})

it('conditions of a split or policy that are not ours stay', () => {
  const ours = [{ type: 'Accepted', status: 'True', reason: 'Accepted', message: '' }]
  const theirs = { type: 'Promoted', status: 'True' }
  const before = { phase: 'x', conditions: [theirs, ...written('True', 1, since).conditions] }
  expect(mergedConditions(before, ours, seen)).toEqual({
    phase: 'x',
    conditions: [theirs, ...written('True', 7, since).conditions],
  })
})

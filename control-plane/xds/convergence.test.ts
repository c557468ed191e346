import { beforeEach, expect, it } from 'vitest'
import { Convergence } from './convergence.ts'

let nowMs = 0
let told: number[] = []
let convergence: Convergence
beforeEach(() => {
  nowMs = 0
  told = []
  convergence = new Convergence(
    () => nowMs,
    (elapsedMs) => void told.push(elapsedMs),
  )
})

it('tells the time from the oldest change to the answer to the last response', () => {
  convergence.changed(0)
  convergence.wrote()
  convergence.wrote()
  convergence.flushed(false)
  nowMs = 20
  convergence.answered(true)
  expect(told).toEqual([])
  convergence.changed(20)
  nowMs = 50
  convergence.answered(true)
  expect(told).toEqual([50])
})

it('does not count a change that sends a client nothing, nor one that it refuses', () => {
  convergence.changed(0)
  convergence.flushed(false)
  convergence.changed(10)
  convergence.wrote()
  convergence.flushed(false)
  convergence.answered(false)
  nowMs = 100
  convergence.wrote()
  convergence.answered(true)
  expect(told).toEqual([])
})

import { EventEmitter } from 'node:events'
import { beforeEach, expect, test } from 'vitest'
import { ManualClock } from '../../core/manual-clock.ts'
import { AccessLines } from './access-lines.ts'

/** Takes text until it is full, as the output of a process does. */
class Output extends EventEmitter {
  readonly texts: string[] = []
  full = false

  write(text: string): void {
    if (this.full) this.emit('drop', text)
    else this.texts.push(text)
  }
}

let output: Output
let clock: ManualClock
let lines: AccessLines

beforeEach(() => {
  output = new Output()
  clock = new ManualClock()
  lines = new AccessLines(output, clock)
})

test('lines are written together, a moment later, in their order', () => {
  lines.write('a')
  lines.write('b')
  expect(output.texts).toEqual([])
  clock.advance(20)
  expect(output.texts).toEqual(['a\nb\n'])
  clock.advance(1_000)
  expect(output.texts).toHaveLength(1)
  expect(clock.pending).toBe(0)
})

test('many lines do not wait', () => {
  for (let i = 0; i < 80; i++) lines.write('x'.repeat(999))
  expect(output.texts).toHaveLength(1)
  lines.flush()
  expect(output.texts.join('')).toHaveLength(80_000)
  expect(lines.written).toBe(80)
})

test('one that is longer than what is gathered keeps its place', () => {
  const long = '\u20ac'.repeat(50_000)
  for (const line of ['a', long, 'b']) lines.write(line)
  lines.flush()
  expect(output.texts).toEqual(['a\n', `${long}\n`, 'b\n'])
})

test('lines that nobody takes are lost and counted', () => {
  lines.write('a')
  lines.flush()
  output.full = true
  lines.write('b')
  lines.write('c')
  lines.flush()
  output.full = false
  lines.write('d')
  lines.flush()
  expect([lines.written, lines.lost]).toEqual([2, 2])
  expect(output.texts).toEqual(['a\n', 'd\n'])
})

import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { JsonLines } from './json-lines.ts'

const text = '{"a":1}\n{"b":"äöü"}\n\n{"c":[1,2]}\n'

describe('JsonLines', () => {
  it.each([1, 2, 3, 7, 100])('gives each document once, however it is cut (%i bytes)', (size) => {
    const lines = new JsonLines()
    const bytes = Buffer.from(text)
    const documents: unknown[] = []
    for (let at = 0; at < bytes.length; at += size)
      documents.push(...lines.push(bytes.subarray(at, at + size)))
    expect(documents).toEqual([{ a: 1 }, { b: 'äöü' }, { c: [1, 2] }])
  })

  it('keeps what is not complete', () => {
    const lines = new JsonLines()
    expect(lines.push(Buffer.from('{"a":'))).toEqual([])
    expect(lines.push(Buffer.from('1}\n{'))).toEqual([{ a: 1 }])
  })

  it('refuses what is no JSON, and a line without end', () => {
    expect(() => new JsonLines().push(Buffer.from('<html>\n'))).toThrow(/broken/)
    const lines = new JsonLines()
    const piece = Buffer.alloc(4 * 1024 * 1024, 'x')
    for (let i = 0; i < 4; i++) lines.push(piece)
    expect(() => lines.push(piece)).toThrow(/longer/)
  })
})

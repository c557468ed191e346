import { expect, it } from 'vitest'
import { watchSplits } from './split-watch.ts'

it('writes what it shows once, and again only when it is another; a control plane that is away is no end', async () => {
  const answers = ['a\n', 'a\n', new Error('away'), 'b\n']
  const aborter = new AbortController()
  const written: string[] = []
  await watchSplits({
    read: () => {
      const answer = answers.shift()
      if (answers.length === 0) queueMicrotask(() => setImmediate(() => aborter.abort()))
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer ?? 'b\n')
    },
    write: (text) => void written.push(text),
    intervalMs: 1,
    terminal: false,
    signal: aborter.signal,
  })
  expect(written).toEqual(['a\n', '\naway\n', '\nb\n'])
})

import { expect, test } from 'vitest'
import { formatSelfTimes, selfTimes } from './self-time.ts'

const frame = (functionName: string, url = '', lineNumber = -1) => ({
  functionName,
  url,
  lineNumber,
  columnNumber: 0,
})

const profile = {
  nodes: [
    { id: 1, callFrame: frame('(idle)') },
    { id: 2, callFrame: frame('parse', 'proxy/parse.ts', 9) },
    { id: 3, callFrame: frame('write') },
    // The same function, called from somewhere else.
    { id: 4, callFrame: frame('parse', 'proxy/parse.ts', 9) },
  ],
  samples: [2, 1, 3, 4, 2],
  timeDeltas: [0, 100, 5_000, 150, 300],
}

test('self time is summed by function over all its callers, the largest first, without idle time', () => {
  expect(selfTimes(profile)).toEqual([
    { functionName: 'parse', place: 'proxy/parse.ts:10', selfUs: 400 },
    { functionName: 'write', place: '', selfUs: 150 },
  ])
})

test('the table says percent of the busy time and microseconds per request', () => {
  expect(formatSelfTimes(selfTimes(profile), 100, 1).split('\n')).toEqual([
    ' 100.0 %     5.50 us  all that is not idle',
    '  72.7 %     4.00 us  parse                            proxy/parse.ts:10',
  ])
})

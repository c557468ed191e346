import { expect, test } from 'vitest'
import { parseWrk } from './wrk.ts'

test('the totals of wrk are read, and errors are not overlooked', () => {
  expect(parseWrk('  1234 requests in 2.00s, 1.5MB read\n')).toEqual({ requests: 1234, errors: 0 })
  const bad =
    '  10 requests in 2.00s, 1MB read\n  Socket errors: connect 1, read 2, write 0, timeout 3\n  Non-2xx or 3xx responses: 4\n'
  expect(parseWrk(bad)).toEqual({ requests: 10, errors: 10 })
})

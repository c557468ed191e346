import { expect, test } from 'vitest'
import { plainGet } from './request.ts'
import { parseWrk, wrkArguments, wrkScript } from './wrk.ts'

test('the totals of wrk are read, and errors are not overlooked', () => {
  expect(parseWrk('  1234 requests in 2.00s, 1.5MB read\n')).toEqual({ requests: 1234, errors: 0 })
  const bad =
    '  10 requests in 2.00s, 1MB read\n  Socket errors: connect 1, read 2, write 0, timeout 3\n  Non-2xx or 3xx responses: 4\n'
  expect(parseWrk(bad)).toEqual({ requests: 10, errors: 10 })
})

test('wrk is told of fields by arguments, of a method and a body by a script', () => {
  const request = { ...plainGet, path: '/x', headers: [['A', 'b']] as const }
  expect(wrkArguments({ port: 81, connections: 4, request, seconds: 2 })).toEqual([
    '-t1',
    '-c4',
    '-d2s',
    '-H',
    'Host: app.bench:8080',
    '-H',
    'A: b',
    'http://127.0.0.1:81/x',
  ])
  expect(wrkArguments({ port: 81, connections: 4, request, seconds: 2 }, 'x.lua')).toContain('x.lua')
  expect(wrkScript({ ...plainGet, method: 'POST', bodyBytes: 9 })).toBe(
    'wrk.method = "POST"\nwrk.body = string.rep("x", 9)\n',
  )
})

import { expect, test } from 'vitest'
import { h2loadArguments, parseH2load } from './h2load.ts'
import { plainGet } from './request.ts'

const summary = (requests: string, codes: string): string =>
  `finished in 2.00s, 1 req/s, 1MB/s\nrequests: ${requests}\nstatus codes: ${codes}\ntraffic: 1MB\n`

test('the totals of h2load are read, and errors are not overlooked', () => {
  const good = summary(
    '90 total, 90 started, 90 done, 90 succeeded, 0 failed, 0 errored, 0 timeout',
    '90 2xx, 0 3xx, 0 4xx, 0 5xx',
  )
  expect(parseH2load(good)).toEqual({ requests: 90, errors: 0 })
  const bad = summary(
    '90 total, 90 started, 90 done, 80 succeeded, 10 failed, 5 errored, 0 timeout',
    '80 2xx, 0 3xx, 0 4xx, 5 5xx',
  )
  expect(parseH2load(bad)).toEqual({ requests: 90, errors: 10 })
  expect(() => parseH2load('no such host')).toThrow('h2load says: no such host')
})

test('h2load is told of streams, and of the authority by its pseudo field', () => {
  const request = { ...plainGet, path: '/x', headers: [['A', 'b']] as const }
  const args = h2loadArguments({ port: 81, connections: 8, streams: 16, request, seconds: 2 })
  const fields = ['-H', ':authority: app.bench:8080', '-H', 'a: b']
  expect(args).toEqual(['-t1', '-c8', '-m16', '-D2000ms', ...fields, 'http://127.0.0.1:81/x'])
})

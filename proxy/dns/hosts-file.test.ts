import { expect, test } from 'vitest'
import { parseHosts } from './hosts-file.ts'

test('a name has the addresses of all lines that have it, in their order', () => {
  const hosts = parseHosts(
    '127.0.0.1\tlocalhost  Here # and not there\n::1 localhost\n\n# 10.0.0.9 none\nnonsense here\n10.0.0.1 db.corp\n',
  )
  expect(Object.fromEntries(hosts)).toEqual({
    localhost: ['127.0.0.1', '::1'],
    here: ['127.0.0.1'],
    'db.corp': ['10.0.0.1'],
  })
})

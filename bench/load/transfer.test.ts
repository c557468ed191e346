import { expect, test } from 'vitest'
import { curlArguments, parseCurl } from './transfer.ts'

const upload = { port: 81, protocol: 'http2', direction: 'upload', bytes: 1000 } as const
const download = { ...upload, protocol: 'http1', direction: 'download' } as const

test('curl is told of the protocol, and what to send or how much to ask for', () => {
  const up = curlArguments(upload, 'body')
  expect(up.join(' ')).toContain('--http2-prior-knowledge')
  expect(up.join(' ')).toContain('--upload-file body http://127.0.0.1:81/upload')
  const down = curlArguments(download, 'body')
  expect(down.join(' ')).toContain('--http1.1')
  expect(down.join(' ')).toContain('--range 0-999 http://127.0.0.1:81/transfer')
  expect(down).not.toContain('--upload-file')
})

test('what was carried and how long it took is read, and less than all of it is an error', () => {
  expect(parseCurl('200 0 1000 2.5', upload)).toEqual({ bytes: 1000, seconds: 2.5 })
  expect(parseCurl('206 1000 0 0.5', download)).toEqual({ bytes: 1000, seconds: 0.5 })
  expect(() => parseCurl('206 999 0 0.5', download)).toThrow('ended with: 206 999 0 0.5')
  expect(() => parseCurl('502 1000 0 0.5', download)).toThrow('502')
})

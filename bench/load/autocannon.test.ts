import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { autocannonArguments, runAutocannon } from './autocannon.ts'
import { plainGet } from './request.ts'

async function startServer(answer: http.RequestListener): Promise<number> {
  const server = http.createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

test('every request is counted, with the method, fields and body asked for, and failed ones as errors', async () => {
  const seen = new Set<string>()
  let asked = 0
  const port = await startServer((request, response) => {
    let bytes = 0
    request.on('data', (piece: Buffer) => {
      bytes += piece.length
    })
    request.on('end', () => {
      const { method, headers } = request
      seen.add([method, headers.host, headers['a'], bytes].join(' '))
      response.statusCode = asked++ % 2 === 0 ? 200 : 500
      response.end()
    })
  })
  const request = { ...plainGet, method: 'POST', headers: [['A', 'b']], bodyBytes: 9 } as const
  const { requests, errors } = await runAutocannon({ port, connections: 2, request, seconds: 1 })
  expect([...seen]).toEqual(['POST app.bench:8080 b 9'])
  // One for each connection is under way at the end.
  expect(Math.abs(asked - requests)).toBeLessThanOrEqual(2)
  expect(Math.abs(errors - requests / 2)).toBeLessThanOrEqual(2)
})

test('a request without a body has none', () => {
  expect(autocannonArguments({ port: 81, connections: 4, request: plainGet, seconds: 2 })).not.toContain(
    '--body',
  )
})

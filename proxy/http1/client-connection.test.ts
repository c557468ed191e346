/** A request's body that is complete before the wire has taken it. */
import { Buffer } from 'node:buffer'
import { expect, test } from 'vitest'
import { Body } from '../body.ts'
import type { Wire } from '../listen/wire.ts'
import { testExchange } from '../test-exchange.ts'
import { ClientConnection } from './client-connection.ts'

const fullWire = {
  closed: false,
  readInto: () => undefined,
  writeText: () => false,
  writeBytes: () => false,
} as unknown as Wire

test('who has sent a whole request is told when the wire has taken it', () => {
  const told: string[] = []
  const source = {
    pausesBeyondEnd: true,
    pauseBody: () => told.push('wait'),
    resumeBody: () => told.push('go on'),
  }
  const body = new Body(3, source)
  const connection = new ClientConnection(fullWire, { onIdle: () => undefined, onClosed: () => undefined })
  const receiver = { onReply: () => undefined, onFailure: () => undefined }
  connection.send(testExchange({ method: 'PUT', body }), receiver)
  body.push(Buffer.from('abc'))
  body.finish()
  expect(told).toEqual(['wait'])
  connection.onDrain()
  expect(told).toEqual(['wait', 'go on'])
})

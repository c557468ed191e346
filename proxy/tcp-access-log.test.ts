import { expect, test } from 'vitest'
import { createLog } from '../core/log.ts'
import { ManualClock } from '../core/manual-clock.ts'
import { tcpAccessLog, type TcpRecord } from './tcp-access-log.ts'

const record: TcpRecord = {
  direction: 'inbound',
  peer: '10.0.0.7',
  principal: 'spiffe://cluster.local/ns/shop/sa/web',
  destination: '127.0.0.1:6379',
  cluster: 'inbound:6379',
  upstream: '127.0.0.1:6379',
  receivedBytes: 14,
  sentBytes: 7,
  durationMs: 1.5,
  flag: '',
}

function linesOf(format: 'json' | 'apache', ...records: readonly TcpRecord[]): readonly object[] {
  const lines: string[] = []
  const log = createLog({
    process: 'test',
    level: 'info',
    destination: { write: (line) => void lines.push(line) },
  })
  const write = tcpAccessLog(format, log, new ManualClock())
  for (const entry of records) write(entry)
  return lines.map((line) => JSON.parse(line) as object)
}

test('a line in JSON has all that is known of the connection', () => {
  expect(linesOf('json', record)[0]).toMatchObject({ msg: 'access', protocol: 'tcp', ...record })
})

test("Apache's has who, when, where to, how it ended, and how much was sent", () => {
  const time = new Date(new ManualClock().wallMs()).toISOString()
  expect(linesOf('apache', record, { ...record, principal: undefined, flag: 'UC' })).toMatchObject([
    { msg: `10.0.0.7 - spiffe://cluster.local/ns/shop/sa/web [${time}] "TCP 127.0.0.1:6379" - 7` },
    { msg: `10.0.0.7 - - [${time}] "TCP 127.0.0.1:6379" UC 7` },
  ])
})

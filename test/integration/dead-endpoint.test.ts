import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { Load } from '../../cli/demo/load.ts'
import { startPlainDataPath } from '../support/plain-data-path.ts'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

async function listen(answer: (response: ServerResponse) => void): Promise<{ port: number; server: Server }> {
  const server = createServer((_request, response) => answer(response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return { port: (server.address() as AddressInfo).port, server }
}

/** Statuses of `count` requests through the sidecar, 16 at a time. */
async function statuses(port: number, count: number): Promise<Record<number, number>> {
  const load = new Load(port)
  cleanups.push(() => load.close())
  const seen: Record<number, number> = {}
  let sent = 0
  await load.run(
    'http://app.test:80/',
    16,
    () => sent++ < count,
    ({ status }) => (seen[status] = (seen[status] ?? 0) + 1),
  )
  return seen
}

test('an endpoint that refuses connections costs no request, however bad the others were lately', async () => {
  let failing = true
  const answer = (response: ServerResponse): void => {
    response.statusCode = failing ? 500 : 200
    setTimeout(() => response.end('x'), 2)
  }
  const [stays, dies] = [await listen(answer), await listen(answer)]
  const { port, stop } = await startPlainDataPath([stays.port, dies.port], { clock: systemClock })
  cleanups.push(stop)
  // Both carry the penalty of a failure, so that load alone does not tell which of the two is dead.
  expect(await statuses(port, 100)).toEqual({ 500: 100 })
  failing = false
  dies.server.close()
  dies.server.closeAllConnections()
  expect(await statuses(port, 1500)).toEqual({ 200: 1500 })
})

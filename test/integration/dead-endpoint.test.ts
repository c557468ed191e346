import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { Load } from '../../cli/demo/load.ts'
import { startPlainDataPath } from '../support/plain-data-path.ts'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

type App = { readonly port: number; answered: number; die: () => void }

/** An application that answers after 2 ms with what `status` says then. */
async function startApp(status: () => number, port = 0): Promise<App> {
  const server = createServer((_request, response) => {
    app.answered++
    response.statusCode = status()
    setTimeout(() => response.end('x'), 2)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const die = (): void => {
    server.close()
    server.closeAllConnections()
  }
  cleanups.push(die)
  const app: App = { port: (server.address() as AddressInfo).port, answered: 0, die }
  return app
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

test('an endpoint that dies costs no request, and is used again soon after it comes back', async () => {
  let status = 500
  const [stays, dies] = [await startApp(() => status), await startApp(() => status)]
  const { port, stop } = await startPlainDataPath([stays.port, dies.port])
  cleanups.push(stop)
  // Both carry the penalty of a failure, so that load alone does not tell which of the two is dead.
  expect(await statuses(port, 100)).toEqual({ 500: 100 })
  status = 200
  dies.die()
  expect(await statuses(port, 1500)).toEqual({ 200: 1500 })
  const back = await startApp(() => status, dies.port)
  const deadline = performance.now() + 10_000
  while (back.answered < 50 && performance.now() < deadline)
    expect(await statuses(port, 100)).toEqual({ 200: 100 })
  expect(back.answered).toBeGreaterThanOrEqual(50)
})

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../core/clock.ts'
import { awaitSidecar } from './await.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

async function sidecar(statuses: number[]): Promise<number> {
  const server = createServer((_request, response) => {
    const status = statuses.length > 1 ? (statuses.shift() as number) : statuses[0]
    response.writeHead(status as number).end('identity: no certificate yet\n')
  })
  closing.push(() => server.close())
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

test('it ends once the sidecar is ready', async () => {
  await expect(awaitSidecar(await sidecar([503, 503, 200]), 10_000, systemClock)).resolves.toBeUndefined()
})

test('it fails in time, with what the sidecar waits for', async () => {
  const failure = awaitSidecar(await sidecar([503]), 0, systemClock)
  await expect(failure).rejects.toMatchObject({
    code: 'SIDECAR_NOT_READY',
    message: expect.stringContaining('no certificate yet') as string,
  })
})

test('a sidecar that does not run is one that is not ready', async () => {
  await expect(awaitSidecar(1, 0, systemClock)).rejects.toMatchObject({ code: 'SIDECAR_NOT_READY' })
})

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { findDashboard } from './dashboard.ts'

let server: Server | undefined

afterEach(() => server?.close())

/** An admin server that answers everything like this. */
async function answering(status: number, text: string): Promise<string> {
  server = createServer((_request, response) => response.writeHead(status).end(text))
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('the address is that of the page on the admin server', async () => {
  const address = await answering(200, '<!doctype html>')
  expect(await findDashboard(address)).toBe(`http://${address}/dashboard/`)
})

test('what is no address is refused with the name of the option', async () => {
  await expect(findDashboard('nowhere')).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('--control-plane'),
  })
})

test('a control plane that does not answer is named, with what to do in a cluster', async () => {
  await expect(findDashboard('127.0.0.1:1')).rejects.toMatchObject({
    code: 'CONTROL_PLANE_UNREACHABLE',
    message: expect.stringContaining('--kubeconfig'),
  })
})

test('a page that could not be built is told from a control plane that is away', async () => {
  const address = await answering(503, 'the dashboard could not be built: it was not built\n')
  await expect(findDashboard(address)).rejects.toMatchObject({ code: 'DASHBOARD_UNBUILT' })
})

test('a server that has no dashboard is no control plane', async () => {
  const address = await answering(404, 'no such page')
  await expect(findDashboard(address)).rejects.toMatchObject({ code: 'CONTROL_PLANE_UNREACHABLE' })
})

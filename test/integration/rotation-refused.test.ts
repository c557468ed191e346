/** The control plane itself begins no phase of a rotation before every sidecar that is connected to it has followed. */
import { expect, onTestFinished, test } from 'vitest'
import { rootCaSecret } from '../../api/xds/naming.ts'
import { toStruct } from '../../api/xds/struct.ts'
import { typeUrls } from '../../api/xds/type-urls.ts'
import type { DeltaDiscoveryResponse } from '../../api/xds/types.ts'
import { openAdsStream } from '../support/ads-stream.ts'
import { removeFolder, startTestControlPlane } from '../support/running-control-plane.ts'

const node = {
  id: 'web.shop',
  userAgentName: 'weft',
  metadata: toStruct({ WEFT: 'sidecar', NAMESPACE: 'shop', POD: 'web' }),
}

async function setUp() {
  const plane = await startTestControlPlane({})
  const { client, stream } = openAdsStream(plane, 'web')
  onTestFinished(async () => {
    client.close()
    await plane.stop()
    removeFolder(plane.folder)
  })
  const received: DeltaDiscoveryResponse[] = []
  stream.on('data', (response: DeltaDiscoveryResponse) => received.push(response))
  stream.write({ node, typeUrl: typeUrls.secret, resourceNamesSubscribe: [rootCaSecret] })
  /** Acknowledges what came last, once there are so many. */
  const acknowledge = async (count: number): Promise<void> => {
    await expect.poll(() => received.length).toBe(count)
    stream.write({ typeUrl: typeUrls.secret, responseNonce: received.at(-1)?.nonce ?? '' })
  }
  const begin = async (to: string) => {
    const url = `http://127.0.0.1:${plane.running.adminPort}/identity/rotate?to=${to}`
    const reply = await fetch(url, { method: 'POST' })
    return { status: reply.status, text: await reply.text() }
  }
  return { acknowledge, begin, received, stream }
}

test('a sidecar that has not acknowledged the bundle, or has no certificate of the new root, holds up the next phase', async () => {
  const { acknowledge, begin, received, stream } = await setUp()
  await expect.poll(() => received.length).toBe(1)
  const behind = { status: 409, text: expect.stringMatching(/^shop\/web: it has not acknowledged/) }
  expect(await begin('new-trusted')).toMatchObject(behind)
  await acknowledge(1)
  await expect.poll(async () => (await begin('new-trusted')).status).toBe(200)
  expect(await begin('new-issues')).toMatchObject(behind)
  await acknowledge(2)
  await expect.poll(async () => (await begin('new-issues')).status).toBe(200)
  await acknowledge(3)
  const late = {
    status: 409,
    text: expect.stringMatching(/^shop\/web: its certificate is not of the new root/),
  }
  await expect.poll(() => begin('steady')).toMatchObject(late)
  stream.cancel()
  // Nobody is connected any more: nobody holds it up here; the command asks for those that should be.
  await expect.poll(async () => (await begin('steady')).status).toBe(200)
})

test('a phase that is not the next one, or none, is refused', async () => {
  const { acknowledge, begin } = await setUp()
  await acknowledge(1)
  await expect.poll(async () => (await begin('new-issues')).text).toContain('ROTATION_REFUSED')
  expect((await begin('elsewhere')).status).toBe(400)
})

/** Endpoints that come, go and fail under load: what the clients of a sidecar notice of it. */
import { afterEach, expect, test } from 'vitest'
import { appUrl, ClusterMesh, slicesOf, startClusterMesh } from '../support/cluster-mesh.ts'
import type { HttpAnswer } from '../support/http-client.ts'
import { startHttpApplication } from '../support/http-application.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

async function start(...args: Parameters<typeof startClusterMesh>): Promise<ClusterMesh> {
  const mesh = await startClusterMesh(...args)
  cleanups.push(() => mesh.stop())
  return mesh
}

type Load = {
  /** Resolves when so many more requests were answered. */
  readonly more: (count: number) => Promise<void>
  readonly end: () => Promise<readonly HttpAnswer[]>
}

/** Keeps 16 requests in flight until it is ended; gives what came. */
function load(mesh: ClusterMesh): Load {
  const answers: HttpAnswer[] = []
  let goOn = true
  const done = mesh.client.run(
    appUrl,
    16,
    () => goOn,
    (answer) => answers.push(answer),
  )
  return {
    more: async (count) => {
      const wanted = answers.length + count
      while (answers.length < wanted) await new Promise((resolve) => setTimeout(resolve, 5))
    },
    end: async () => {
      goOn = false
      await done
      return answers
    },
  }
}

const failed = (answers: readonly HttpAnswer[]) =>
  answers.filter(({ status, broken }) => status !== 200 || broken)

test('replacing all endpoints one by one, as a rollout does, costs no request', async () => {
  const mesh = await start(4, {
    answer: (name) => (_request, response) => setTimeout(() => response.end(name), 5),
  })
  const { more, end } = load(mesh)
  let live = [...mesh.apps]
  for (const old of mesh.apps) {
    await more(200)
    const fresh = await startHttpApplication('new')
    cleanups.push(() => fresh.stop())
    live = [...live.filter((app) => app !== old), fresh]
    mesh.setSlices(slicesOf(live.map(({ port }) => port)))
    await mesh.until('replaced', ({ endpoints }) =>
      endpoints.some(({ address }) => address.endsWith(`:${fresh.port}`)),
    )
    await old.finish()
  }
  await more(200)
  const answers = await end()
  expect(failed(answers)).toEqual([])
  expect(answers.at(-1)?.body).toBe('new')
})

test('an update that brings nothing new keeps every connection', async () => {
  const mesh = await start(3)
  const { end } = load(mesh)
  for (let i = 0; i < 50; i++) {
    mesh.setSlices(slicesOf(mesh.ports, () => ({ zone: `zone-${i}` })))
    await mesh.until('zoned', ({ endpoints }) => endpoints.every(({ zone }) => zone === `zone-${i}`))
  }
  expect(failed(await end())).toEqual([])
  expect(mesh.apps.map(({ closed }) => closed)).toEqual([0, 0, 0])
  // One for each request that may be in flight, and the first one's.
  for (const { opened } of mesh.apps) expect(opened).toBeLessThanOrEqual(17)
})

test('of five endpoints one fails: after it was ejected less than 0.1 % of the requests do', async () => {
  let broken = false
  const mesh = await start(5, {
    answer: (name) => (_request, response) => {
      response.statusCode = broken && name === 'c' ? 500 : 200
      response.end(name)
    },
  })
  mesh.setPolicy({
    balancer: { type: 'RoundRobin' },
    outlierDetection: { consecutiveFailures: 5, baseEjection: '1s', ejectionJitter: '0' },
  })
  await mesh.untilBalancer('round-robin')
  await mesh.tally(500)
  broken = true
  // Its five failures, and what was under way beside the last of them.
  expect((await mesh.tally(200))['500']).toBeLessThanOrEqual(12)
  await mesh.until(
    'ejected',
    ({ endpoints }) => endpoints.filter(({ state }) => state === 'ejected').length === 1,
  )
  const { more, end } = load(mesh)
  await more(8_000)
  const answers = await end()
  // Only those that find out whether it is well again: after 1, 2, 4 s and so on.
  expect(failed(answers).length / answers.length).toBeLessThan(0.001)
})

/** Fault injection, from a file through control plane and sidecar. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FileMesh, startFileMesh } from '../support/file-mesh.ts'

let mesh: FileMesh

beforeAll(async () => {
  mesh = await startFileMesh(['app'], { settings: ['--access-log=json', '--log-level=info'] })
})

afterAll(() => mesh.stop())

const url = 'http://app.shop:8080'
const requests = (): number => mesh.apps['app']?.requests ?? 0

/** Injects into what is sent to the Service, in force when this resolves. */
async function inject(fault: string, more = ''): Promise<void> {
  const name = `p${Math.random().toString(36).slice(2)}`
  mesh.plane.write(
    'policy.yaml',
    `apiVersion: weft.dev/v1alpha1\nkind: TrafficPolicy\nmetadata: {name: ${name}, namespace: shop}\nspec: {targetRefs: [{kind: Service, name: app}], fault: {${fault}}${more}}\n`,
  )
  await mesh.client.send(url, { headers: { 'x-chaos': 'no' } })
  const wanted = JSON.stringify(fault.includes('delay') ? 'delayMs' : 'status')
  await mesh.untilRules('app', ([rule]) => {
    const text = JSON.stringify(rule?.policy?.fault ?? {})
    return (
      text.includes(wanted) &&
      (rule?.policy?.fault?.headers.length ?? 0) === (fault.includes('headers') ? 1 : 0)
    )
  })
}

async function logged(path: string): Promise<unknown> {
  const lines = () =>
    mesh.sidecar
      .log()
      .split('\n')
      .filter((line) => line.includes(path))
  await expect.poll(() => lines().length).toBeGreaterThan(0)
  return JSON.parse(lines()[0] ?? '')
}

test('an abort answers with its status and FI, and nothing reaches the application', async () => {
  await inject('abort: {status: 418}')
  const [before, aborted] = [
    requests(),
    await mesh.sidecar.metric('outbound_http_faults_injected_total', 'fault="abort"'),
  ]
  expect(await mesh.client.send(`${url}/aborted`)).toMatchObject({
    status: 418,
    headers: { 'weft-error': 'FI' },
  })
  expect(requests()).toBe(before)
  expect(await mesh.sidecar.metric('outbound_http_faults_injected_total', 'fault="abort"')).toBe(aborted + 1)
  expect(await logged('/aborted')).toMatchObject({ status: 418, flag: 'FI', attempts: 0 })
})

test('a delay holds requests back outside of their timeout, and shows as DI', async () => {
  await inject('delay: {duration: 300ms}', ', timeouts: {request: 200ms}')
  const startedMs = performance.now()
  expect(await mesh.client.send(`${url}/delayed`)).toMatchObject({ status: 200, body: 'app' })
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(295)
  expect(await mesh.sidecar.metric('outbound_http_faults_injected_total', 'fault="delay"')).toBeGreaterThan(0)
  expect(await logged('/delayed')).toMatchObject({ status: 200, flag: 'DI' })
})

test('only requests with the header are disturbed', async () => {
  await inject(
    'abort: {status: 503}, headers: [{name: x-chaos, value: "yes|please", type: RegularExpression}]',
  )
  const status = async (value: string) =>
    (await mesh.client.send(url, { headers: { 'X-Chaos': value } })).status
  expect([await status('yes'), await status('please'), await status('no')]).toEqual([503, 503, 200])
  expect((await mesh.client.send(url)).status).toBe(200)
})

test('a percentage is what it says', async () => {
  await inject('abort: {status: 503, percent: 20}')
  const seen = await mesh.client.tally(url, 2000)
  // Five standard deviations.
  expect(seen['503']).toBeGreaterThan(310)
  expect(seen['503']).toBeLessThan(490)
})

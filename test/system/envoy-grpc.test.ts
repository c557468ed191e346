/** A stock Envoy under our control plane: it follows GRPCRoutes as a sidecar does, over HTTP/2 to the endpoints. */
import { type Client, status } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type EnvoyProcess, startEnvoy } from '../support/envoy-process.ts'
import { clientOf, type GrpcMesh, startGrpcMesh, unary } from '../support/grpc-mesh.ts'
import { ref } from '../support/route-mesh.ts'
import { describeWithEnvoy } from './requirements.ts'

const destination = 'catalog.shop:8080'

describeWithEnvoy('Envoy and GRPCRoutes', () => {
  let mesh: GrpcMesh
  let envoy: EnvoyProcess
  let client: Client

  beforeAll(async () => {
    const usual = () => ({})
    mesh = await startGrpcMesh({
      catalog: usual,
      v1: usual,
      v2: usual,
      flaky: (_seen, before) => ({ status: before % 2 === 0 ? status.UNAVAILABLE : status.OK }),
    })
    envoy = await startEnvoy(mesh.plane, 'DELTA_GRPC', [destination])
    client = clientOf(envoy.ports[destination] as number)
  }, 60_000)
  afterAll(async () => {
    client?.close()
    await envoy?.stop()
    await mesh?.stop()
  })

  test('the same calls reach the same applications, and fail alike', async () => {
    const regex = { type: 'RegularExpression', service: 'shop[.]It.*' }
    await mesh.route(
      'first',
      {
        rules: [
          { name: 'first', matches: [{ method: { service: 'shop.Orders' } }], backendRefs: [ref('v1')] },
          { matches: [{ method: { service: 'shop.Orders', method: 'List' } }], backendRefs: [ref('v2')] },
          {
            matches: [{ method: regex, headers: [{ name: 'x-team', value: 'blue' }] }],
            backendRefs: [ref('flaky')],
          },
          { matches: [{ method: regex }], backendRefs: [ref('ghost')] },
        ],
      },
      { 'retry.weft.dev/grpc': 'unavailable' },
    )
    const blue = { metadata: { 'x-team': 'blue' } }
    const calls = ['shop.Orders/Get', 'shop.Orders/List', 'shop.Items/Get', 'other.Orders/Get']
    const outcomes = async (call: (path: string, more?: object) => ReturnType<GrpcMesh['call']>) => {
      const all = [...calls.map((path) => [path, {}] as const), ['shop.Items/Get', blue] as const]
      const told: string[] = []
      for (const [path, more] of all) {
        const { app, code } = await call(path, more)
        told.push(app === '' ? (status[code] as string) : app)
      }
      return told
    }
    const expected = ['v1', 'v2', 'UNAVAILABLE', 'UNIMPLEMENTED', 'flaky']
    expect(await outcomes(mesh.call)).toEqual(expected)
    await expect
      .poll(() => outcomes((path, more) => unary(client, path, more)), { timeout: 30_000 })
      .toEqual(expected)
  })
})

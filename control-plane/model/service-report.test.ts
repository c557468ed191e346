import { expect, test } from 'vitest'
import { MeshModel } from './mesh-model.ts'
import { serviceReport } from './service-report.ts'
import {
  backendRef,
  externalService,
  route,
  routeOf,
  routeRule,
  service,
  slice,
  workload,
} from './test-objects.ts'

function reportOf(model: MeshModel, key: string) {
  const found = model.service(key)
  if (found === undefined) throw new Error(`no service ${key}`)
  return serviceReport(model, found)
}

test('a service has its ports, and the pods that may be sent to, each once', () => {
  const model = new MeshModel()
  model.apply([
    service('catalog'),
    workload('catalog-2'),
    workload('catalog-1'),
    workload('catalog-0'),
    slice('catalog', [
      { address: '10.0.0.2', workload: 'shop/catalog-2' },
      { address: '10.0.0.1', workload: 'shop/catalog-1' },
      { address: '10.0.0.0', workload: 'shop/catalog-0', ready: false },
      { address: '10.0.0.9' },
    ]),
  ])
  expect(reportOf(model, 'shop/catalog')).toEqual({
    namespace: 'shop',
    name: 'catalog',
    externalName: undefined,
    ports: [{ name: 'http', port: 8080, readyEndpoints: 3, rules: [] }],
    pods: ['catalog-1', 'catalog-2'],
  })
})

test('the rules of the routes in force say what share each backend should get', () => {
  const model = new MeshModel()
  const canary = routeRule({
    name: 'canary',
    backends: [backendRef('v1', { weight: 3 }), backendRef('v2', { weight: 1 })],
  })
  const off = routeRule({ backends: [backendRef('v1', { weight: 0 })] })
  model.apply([
    service('catalog'),
    routeOf('canary', 'catalog', [canary, off]),
    route('other', 'web', ['v9']),
  ])
  const [port] = reportOf(model, 'shop/catalog').ports
  expect(port?.rules.map(({ route: of, rule, backends }) => [of, rule, backends])).toEqual([
    [
      'shop/canary',
      'canary',
      [
        { namespace: 'shop', service: 'v1', port: 8080, sharePercent: 75 },
        { namespace: 'shop', service: 'v2', port: 8080, sharePercent: 25 },
      ],
    ],
    ['shop/canary', '1', [{ namespace: 'shop', service: 'v1', port: 8080, sharePercent: 0 }]],
  ])
})

test('another name for a host says for which', () => {
  const model = new MeshModel()
  model.apply([externalService('mail', 'mail.example')])
  expect(reportOf(model, 'shop/mail')).toMatchObject({ externalName: 'mail.example', pods: [] })
})

test.each([
  ['no pod', [], 'no-pods'],
  [
    'pods of which none is ready',
    [slice('catalog', [{ address: '10.0.0.1', ready: false, serving: false }])],
    'none-ready',
  ],
  ['pods that do not have the port', [slice('catalog', [{ address: '10.0.0.1' }], 'grpc')], 'port-missing'],
  ['a pod', [slice('catalog', [{ address: '10.0.0.1' }])], undefined],
])('a port with %s behind it says so', (_, slices, missing) => {
  const model = new MeshModel()
  model.apply([service('catalog'), ...slices])
  expect(reportOf(model, 'shop/catalog').ports[0]?.missing).toBe(missing)
})

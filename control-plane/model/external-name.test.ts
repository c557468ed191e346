import { describe, expect, test } from 'vitest'
import { externalNameFindings, externalTarget, portOf } from './external-name.ts'
import { MeshModel } from './mesh-model.ts'
import type { Change, Service } from './objects.ts'
import { routingOf } from './routing.ts'
import { externalService, service, slice, split } from './test-objects.ts'

const inMesh = (name: string) => `${name}.shop.svc.cluster.local`
function modelOf(...changes: readonly Change[]): MeshModel {
  const model = new MeshModel()
  model.apply(changes)
  return model
}
const at = (model: MeshModel, name: string) => model.service(`shop/${name}`) as Service
const backendsOf = (model: MeshModel, name: string, port = 8080) =>
  routingOf(model, at(model, name), port).rules.flatMap(({ backends }) =>
    backends.map(({ backend }) => backend && `${backend.key}:${backend.port}`),
  )

describe('a name leads', () => {
  test('to a host outside, on every port where it lists none', () => {
    const model = modelOf(externalService('pay', 'api.example.com'))
    expect(externalTarget(model, at(model, 'pay'))).toEqual({ kind: 'host', host: 'api.example.com' })
    expect(portOf(at(model, 'pay'), 443)).toMatchObject({ port: 443 })
    expect(backendsOf(model, 'pay')).toEqual(['shop/pay:8080'])
  })
  test('to the ports that it lists, where it does', () => {
    const model = modelOf(externalService('pay', 'api.example.com', [443]))
    expect(portOf(at(model, 'pay'), 443)).toMatchObject({ port: 443 })
    expect(portOf(at(model, 'pay'), 80)).toBeUndefined()
  })
  test('over other names to a host outside', () => {
    const model = modelOf(externalService('a', inMesh('b')), externalService('b', 'api.example.com'))
    expect(externalTarget(model, at(model, 'a'))).toEqual({ kind: 'host', host: 'api.example.com' })
  })
  test('over other names to a Service, and is treated as that is', () => {
    const model = modelOf(
      externalService('a', inMesh('b')),
      externalService('b', 'catalog.shop.svc'),
      service('catalog'),
      service('v1'),
      service('v2'),
      split('catalog', { v1: 1, v2: 1 }),
    )
    expect(backendsOf(model, 'a')).toEqual(['shop/v1:8080', 'shop/v2:8080'])
  })
  test('to a Service that the mesh does not know as to a host', () => {
    const model = modelOf(externalService('a', inMesh('later')))
    expect(externalTarget(model, at(model, 'a'))).toEqual({ kind: 'host', host: inMesh('later') })
  })
  test('nowhere when it leads in a circle, which is found', () => {
    const model = modelOf(externalService('a', inMesh('b')), externalService('b', inMesh('a')))
    expect(backendsOf(model, 'a')).toEqual([undefined])
    expect(externalNameFindings(model, 'shop/a')).toEqual([
      {
        code: 'EXTERNAL_NAME_LOOP',
        object: 'Service shop/a',
        message: 'its name leads in a circle: shop/a -> shop/b -> shop/a; requests to it fail',
      },
    ])
  })
  test('nowhere on a port that the Service does not have, which is found where it is listed', () => {
    const model = modelOf(externalService('a', inMesh('catalog'), [8080, 9]), service('catalog'))
    expect(backendsOf(model, 'a', 9)).toEqual([undefined])
    expect(externalNameFindings(model, 'shop/a').map(({ code, message }) => `${code} ${message}`)).toEqual([
      "EXTERNAL_NAME_PORT its port 9 is none of 'shop/catalog', which its name leads to; requests to it fail",
    ])
  })
})

test('what a name leads to touches all names that lead there', () => {
  const model = modelOf(
    externalService('a', inMesh('b')),
    externalService('b', inMesh('catalog')),
    service('catalog'),
  )
  const { services } = model.apply([split('catalog', { v1: 1 }), slice('catalog', [{ address: '10.0.0.1' }])])
  expect([...services]).toEqual(expect.arrayContaining(['shop/a', 'shop/b', 'shop/catalog']))
})

import { describe, expect, test } from 'vitest'
import { parsePortRanges } from '../../core/port-ranges.ts'
import { MeshModel } from './mesh-model.ts'
import type { Change, Service } from './objects.ts'
import { namespaceShop, routeGroup, service, split } from './test-objects.ts'
import { isOpaque, tcpBackends } from './tcp-routing.ts'

function modelOf(...changes: readonly Change[]): { readonly model: MeshModel; readonly catalog: Service } {
  const model = new MeshModel()
  model.apply(['catalog', 'catalog-v1', 'catalog-v2'].map((name) => service(name)))
  model.apply(changes)
  const catalog = model.service('shop/catalog')
  if (catalog === undefined) throw new Error('no catalog')
  return { model, catalog }
}

/** `catalog` with one port, and an annotation if `opaque` is given. */
function catalogOn(port: number, opaque?: string, protocol = ''): Change {
  const { value, ...change } = service('catalog') as Extract<Change, { kind: 'service' }>
  const opaquePorts = opaque === undefined ? undefined : parsePortRanges(opaque)
  return { ...change, value: { ...(value as Service), ports: [{ name: 'p', port, protocol }], opaquePorts } }
}

function shop(opaque: string): Change {
  return namespaceShop({ opaquePorts: parsePortRanges(opaque) })
}

describe('a port is opaque', () => {
  const rows: readonly (readonly [string, boolean, readonly Change[]])[] = [
    ['not by itself', false, [catalogOn(8080)]],
    ['by the default list', true, [catalogOn(3306)]],
    ['by the annotation of its Service', true, [catalogOn(8080, '8000-8080')]],
    ['not, when that annotation has others', false, [catalogOn(3306, '8080')]],
    ['not, when that annotation is empty', false, [catalogOn(3306, '')]],
    ['by the annotation of its namespace', true, [catalogOn(8080), shop('8080')]],
    ['not, when the Service knows better', false, [catalogOn(8080, '9000'), shop('8080')]],
    ['by its appProtocol', true, [catalogOn(8080, '', 'weft.dev/opaque')]],
    ["by its appProtocol, as Linkerd's users write it", true, [catalogOn(8080, '', 'linkerd.io/opaque')]],
    ['not by another one', false, [catalogOn(8080, '', 'http')]],
  ]
  test.each(rows)('%s', (_, expected, changes) => {
    const { model, catalog } = modelOf(...changes)
    const [port] = catalog.ports
    expect(port && isOpaque(model, catalog, port)).toBe(expected)
  })

  test('and a change of the namespace touches its Services', () => {
    const { model } = modelOf()
    expect([...model.apply([shop('8080')]).services].toSorted()).toEqual([
      'shop/catalog',
      'shop/catalog-v1',
      'shop/catalog-v2',
    ])
  })
})

describe('connections go', () => {
  function weights(...changes: readonly Change[]): Record<string, number> {
    const { model, catalog } = modelOf(...changes)
    return Object.fromEntries(
      tcpBackends(model, catalog, 8080).map(({ backend, weight }) => [backend?.key ?? '', weight]),
    )
  }

  test("to the Service's own endpoints", () => {
    expect(weights()).toEqual({ 'shop/catalog': 1 })
  })
  test('by the weights of its split', () => {
    expect(weights(split('s', { 'catalog-v1': 0, 'catalog-v2': 1000 }))).toEqual({
      'shop/catalog-v1': 0,
      'shop/catalog-v2': 1,
    })
  })
  test('to its own endpoints when no backend weighs anything', () => {
    expect(weights(split('s', { 'catalog-v1': 0 }))).toEqual({ 'shop/catalog': 1 })
  })
  test('to its own endpoints when the split is one of certain requests', () => {
    const some = split('s', { 'catalog-v1': 1000 }, 0, { matches: ['beta'] })
    expect(weights(some, routeGroup('beta', {}))).toEqual({ 'shop/catalog': 1 })
  })
})

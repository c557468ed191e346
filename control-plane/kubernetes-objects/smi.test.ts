import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { convertObject } from './convert.ts'

/** The model's object, or the problems as `path: problem`. */
function read(yaml: string): unknown {
  const converted = convertObject(parse(yaml))
  if (converted.outcome === 'refused')
    return converted.problems.map(({ path, problem }) => `${path.join('.')}: ${problem}`)
  return converted.outcome === 'converted' ? converted.change?.value : converted
}

const versions = ['v1alpha1', 'v1alpha2', 'v1alpha3', 'v1alpha4']

function split(version: string, spec: string): unknown {
  return read(
    `{apiVersion: split.smi-spec.io/${version}, kind: TrafficSplit, metadata: {name: s, namespace: shop}, spec: ${spec}}`,
  )
}

function specs(version: string, kind: string, fields: string): unknown {
  const body = version < 'v1alpha3' ? fields : `spec: {${fields}}`
  return read(
    `{apiVersion: specs.smi-spec.io/${version}, kind: ${kind}, metadata: {name: g, namespace: shop}, ${body}}`,
  )
}

describe('TrafficSplit', () => {
  test.each(versions)('%s is read, with weights in any form', (version) => {
    expect(
      split(
        version,
        '{service: web, backends: [{service: a, weight: 500m}, {service: b, weight: "1"}, {service: c, weight: 2}]}',
      ),
    ).toMatchObject({
      apex: 'web',
      backends: [
        { service: 'a', weightMilli: 500 },
        { service: 'b', weightMilli: 1000 },
        { service: 'c', weightMilli: 2000 },
      ],
      matches: [],
    })
  })
  test('names Services as clients do, but of its own namespace only', () => {
    expect(
      split('v1alpha4', '{service: web.shop.svc.cluster.local, backends: [{service: a.shop, weight: 1}]}'),
    ).toMatchObject({ apex: 'web', backends: [{ service: 'a' }] })
    expect(split('v1alpha4', '{service: web.other, backends: [{service: a, weight: 1}]}')).toEqual([
      "spec.service: must be a Service of the split's own namespace 'shop'",
    ])
  })
  test.each(['v1alpha3', 'v1alpha4'])('%s may have matches', (version) => {
    const spec = (match: string) => `{service: web, backends: [{service: a, weight: 1}], matches: [${match}]}`
    expect(split(version, spec('{kind: HTTPRouteGroup, name: beta}'))).toMatchObject({ matches: ['beta'] })
    expect(
      split(version, spec('{apiGroup: specs.smi-spec.io, kind: HTTPRouteGroup, name: beta}')),
    ).toMatchObject({ matches: ['beta'] })
    expect(split(version, spec('{kind: TCPRoute, name: beta}'))).toEqual([
      'spec.matches.0.kind: must be one of HTTPRouteGroup',
    ])
  })
  test.each(['v1alpha1', 'v1alpha2'])('%s may not', (version) => {
    expect(
      split(
        version,
        '{service: web, backends: [{service: a, weight: 1}], matches: [{kind: HTTPRouteGroup, name: x}]}',
      ),
    ).toEqual(['spec.matches: is there from v1alpha3 on'])
  })
  test('is refused with every problem', () => {
    expect(split('v1alpha2', '{service: web, backends: [{service: a, weight: -1}, {service: a}]}')).toEqual([
      'spec.backends.0.weight: must be a weight: a number of 0 or more, or a quantity such as 500m',
      "spec.backends.1.service: 'a' is named twice",
      'spec.backends.1.weight: is required',
    ])
    expect(split('v1alpha2', '{service: web}')).toEqual(['spec.backends: must name a backend'])
  })
})

describe('HTTPRouteGroup', () => {
  test('is read as it was written, whatever version a cluster hands it out as', () => {
    const matches = '[{name: m, pathRegex: /x}]'
    const head = 'kind: HTTPRouteGroup, metadata: {name: g, namespace: shop}'
    const read4 = read(`{apiVersion: specs.smi-spec.io/v1alpha4, ${head}, matches: ${matches}}`)
    const read2 = read(`{apiVersion: specs.smi-spec.io/v1alpha2, ${head}, spec: {matches: ${matches}}}`)
    expect(read4).toMatchObject({ matches: [{ name: 'm', pathRegex: '/x' }] })
    expect(read2).toEqual(read4)
  })
  test.each(versions)('%s is read', (version) => {
    expect(
      specs(
        version,
        'HTTPRouteGroup',
        'matches: [{name: api, pathRegex: /api, methods: [get, HEAD], headers: {User-Agent: ".*Firefox.*"}}, {name: all, methods: ["*"]}]',
      ),
    ).toEqual({
      namespace: 'shop',
      name: 'g',
      matches: [
        {
          name: 'api',
          pathRegex: '/api',
          methods: ['GET', 'HEAD'],
          headers: [{ name: 'user-agent', value: '.*Firefox.*', regex: true }],
        },
        { name: 'all', pathRegex: undefined, methods: [], headers: [] },
      ],
    })
  })
  test('may have its headers as a list', () => {
    expect(
      specs('v1alpha4', 'HTTPRouteGroup', 'matches: [{name: x, headers: [{a: "1"}, {b: "2"}]}]'),
    ).toMatchObject({ matches: [{ headers: [{ name: 'a' }, { name: 'b' }] }] })
  })
  test('is refused with every problem', () => {
    const long = 'x'.repeat(1025)
    expect(
      specs(
        'v1alpha4',
        'HTTPRouteGroup',
        `matches: [{pathRegex: "(", methods: ["G T"], headers: {a: ${long}}}]`,
      ),
    ).toEqual([
      'spec.matches.0.name: is required',
      expect.stringMatching(/^spec\.matches\.0\.pathRegex: .*missing closing \)/),
      "spec.matches.0.methods.0: must be a method such as GET, or '*'",
      'spec.matches.0.headers.a: regex is longer than 1024 characters',
    ])
    expect(specs('v1alpha1', 'HTTPRouteGroup', 'matches: []')).toEqual(['matches: must hold a match'])
  })
})

describe('TCPRoute', () => {
  test.each(['v1alpha1', 'v1alpha2', 'v1alpha3'])('%s is for all ports', (version) => {
    expect(specs(version, 'TCPRoute', '')).toEqual({ namespace: 'shop', name: 'g', ports: [] })
  })
  test('v1alpha4 may name ports', () => {
    expect(specs('v1alpha4', 'TCPRoute', 'matches: {ports: [3306, 6446]}')).toMatchObject({
      ports: [3306, 6446],
    })
    expect(specs('v1alpha4', 'TCPRoute', 'matches: {ports: [0]}')).toEqual([
      'spec.matches.ports.0: must be a port, 1 to 65535',
    ])
  })
})

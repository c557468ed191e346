import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { convertObject } from './convert.ts'
import { convertReview, readConversion } from './conversion-review.ts'
import { type SmiObject, type SmiVersion, smiVersions } from './smi-object.ts'
import { wholeWeights } from './weights.ts'

function as(object: SmiObject, version: SmiVersion): SmiObject {
  const group = String(object['apiVersion']).split('/')[0]
  const converted = convertObject(object, `${group}/${version}`)
  if (!converted.ok) throw new Error(converted.problem)
  return converted.object
}

const metadata = { name: 'one', namespace: 'shop', uid: 'u' }

function split(version: SmiVersion, weights: readonly unknown[], more: object = {}): SmiObject {
  const backends = weights.map((weight, i) => ({ service: `v${i}`, weight }))
  return {
    apiVersion: `split.smi-spec.io/${version}`,
    kind: 'TrafficSplit',
    metadata,
    spec: { service: 'catalog', backends, ...more },
  }
}

const weightsOf = (object: SmiObject): unknown[] =>
  (object['spec'] as { backends: { weight: unknown }[] }).backends.map(({ weight }) => weight)

describe('weights', () => {
  test.each([
    [
      ['500m', '1'],
      [1, 2],
    ],
    [
      ['90', '10'],
      [90, 10],
    ],
    [
      ['100m', '1500m'],
      [1, 15],
    ],
    [
      ['333m', '667m'],
      [333, 667],
    ],
    [
      ['0', '100'],
      [0, 100],
    ],
    [
      ['0', '500m'],
      [0, 1],
    ],
    [
      ['1k', 1],
      [1000, 1],
    ],
    [
      ['0', '0'],
      [0, 0],
    ],
    [
      ['0.1', '0.3'],
      [1, 3],
    ],
  ])('%j of v1alpha1 are %j later', (written, whole) => {
    for (const version of ['v1alpha2', 'v1alpha3', 'v1alpha4'] as const)
      expect(weightsOf(as(split('v1alpha1', written), version))).toEqual(whole)
  })

  test('go through every version and back in the form in which they were written', () => {
    const weight = fc.oneof(
      fc.nat(1_000_000).map((milli) => `${milli}m`),
      fc.nat(1_000_000).map(String),
      fc.nat(1_000_000),
      fc.constantFrom('1k', '1.5', '.5', '1e2', '2Ki'),
    )
    fc.assert(
      fc.property(fc.array(weight, { minLength: 1, maxLength: 5 }), (weights) => {
        const written = split('v1alpha1', weights)
        for (const stored of ['v1alpha2', 'v1alpha3', 'v1alpha4'] as const)
          expect(as(as(written, stored), 'v1alpha1')).toEqual(written)
      }),
    )
  })

  test('of the later versions are the same quantities, and come back as they were', () => {
    const written = split('v1alpha2', [90, 10])
    expect(weightsOf(as(written, 'v1alpha1'))).toEqual(['90', '10'])
    expect(as(as(written, 'v1alpha1'), 'v1alpha2')).toEqual(written)
  })

  test('keep their ratios exactly', () => {
    const millis = fc.array(fc.nat(1_000_000_000), { minLength: 2, maxLength: 4 })
    fc.assert(
      fc.property(millis, (given) => {
        const whole = wholeWeights(given.map((milli) => `${milli}m`)) as readonly number[]
        for (const [i, one] of given.entries())
          for (const [j, other] of given.entries())
            expect(BigInt(one) * BigInt(whole[j] as number)).toBe(BigInt(other) * BigInt(whole[i] as number))
      }),
    )
  })

  test('that somebody changed in a later version are not undone by the form that was kept', () => {
    const stored = as(split('v1alpha1', ['500m', '1']), 'v1alpha4')
    const { metadata: kept } = stored
    const changed = { ...split('v1alpha4', [7, 3]), metadata: kept }
    const read = as(changed, 'v1alpha1')
    expect(weightsOf(read)).toEqual(['7', '3'])
    expect(read['metadata']).toEqual(metadata)
  })

  test('that are none are handed on, so that one object never hides the others of a list', () => {
    const broken = split('v1alpha4', ['many', -1, null])
    expect(weightsOf(as(broken, 'v1alpha1'))).toEqual(['many', '-1', null])
    expect(weightsOf(as(broken, 'v1alpha2'))).toEqual(['many', -1, null])
  })

  test('that an older definition stored as they were written are whole numbers to a later version', () => {
    expect(weightsOf(as(split('v1alpha4', ['500m', '1']), 'v1alpha2'))).toEqual([1, 2])
  })
})

describe('matches of a split', () => {
  const matches = [{ kind: 'HTTPRouteGroup', name: 'testers', apiGroup: 'specs.smi-spec.io' }]
  const written = split('v1alpha4', [1, 1], { matches })

  test.each(['v1alpha1', 'v1alpha2'] as const)('are kept where %s has no place for them', (version) => {
    const read = as(written, version)
    expect(read['spec']).not.toHaveProperty('matches')
    expect(as(read, 'v1alpha4')).toEqual(written)
    // As a client does that reads, changes the weights and writes.
    const changed = { ...split(version, ['3', '1']), metadata: read['metadata'] }
    expect(as(changed, 'v1alpha3')['spec']).toMatchObject({ matches })
  })
})

describe('route groups', () => {
  const plain = { name: 'metrics', pathRegex: '/metrics', methods: ['GET'] }
  const withHeaders = { name: 'testers', headers: [{ 'user-agent': '.*test.*' }] }
  const group = (version: SmiVersion, matches: readonly object[]): SmiObject => {
    const [apiVersion, kind] = [`specs.smi-spec.io/${version}`, 'HTTPRouteGroup']
    const fields = version < 'v1alpha3' ? { matches } : { spec: { matches } }
    return { apiVersion, kind, metadata, ...fields }
  }

  test('stand where each version has its fields', () => {
    for (const from of smiVersions)
      for (const to of smiVersions) expect(as(group(from, [plain]), to)).toEqual(group(to, [plain]))
  })

  test('keep headers where v1alpha1 has no place for them', () => {
    const read = as(group('v1alpha4', [plain, withHeaders]), 'v1alpha1')
    expect(read['matches']).toEqual([plain, { name: 'testers' }])
    expect(as(read, 'v1alpha4')).toEqual(group('v1alpha4', [plain, withHeaders]))
  })
})

describe('TCPRoutes', () => {
  const route = (version: SmiVersion, fields: object): SmiObject => ({
    apiVersion: `specs.smi-spec.io/${version}`,
    kind: 'TCPRoute',
    metadata,
    ...fields,
  })
  const written = route('v1alpha4', { spec: { matches: { ports: [3306] } } })

  test.each(['v1alpha1', 'v1alpha2', 'v1alpha3'] as const)('keep their ports through %s', (version) => {
    const read = as(written, version)
    expect(read['spec']).toEqual(version === 'v1alpha3' ? {} : undefined)
    expect(as(read, 'v1alpha4')).toEqual(written)
  })

  test('without ports are for all', () => {
    expect(as(route('v1alpha1', {}), 'v1alpha4')).toEqual(route('v1alpha4', { spec: {} }))
  })
})

describe('TrafficTargets', () => {
  const destination = { kind: 'ServiceAccount', name: 'api', namespace: 'shop' }
  const rules = [{ kind: 'HTTPRouteGroup', name: 'routes', matches: ['metrics'] }]
  const sources = [{ kind: 'ServiceAccount', name: 'prometheus', namespace: 'monitoring' }]
  const target = (version: SmiVersion, port?: number): SmiObject => {
    const to = port === undefined || version > 'v1alpha2' ? destination : { ...destination, port }
    const fields =
      version === 'v1alpha1'
        ? { destination: to, specs: rules, sources }
        : { spec: { destination: to, rules, sources } }
    return { apiVersion: `access.smi-spec.io/${version}`, kind: 'TrafficTarget', metadata, ...fields }
  }

  test('stand where each version has its fields', () => {
    for (const from of smiVersions)
      for (const to of smiVersions) expect(as(target(from), to)).toEqual(target(to))
  })

  test.each(['v1alpha1', 'v1alpha2'] as const)('keep the port that %s has', (version) => {
    const stored = as(target(version, 8080), 'v1alpha4')
    expect(stored).toEqual({
      ...target('v1alpha4'),
      metadata: { ...metadata, annotations: { 'weft.dev/v1alpha2-destination-port': '8080' } },
    })
    expect(as(stored, version)).toEqual(target(version, 8080))
  })

  describe('of IdentityBindings', () => {
    const bound = (name: string, more: object = {}) => ({ kind: 'IdentityBinding', name, ...more })
    const group = { group: 'access.smi-spec.io' }
    const written: SmiObject = {
      ...target('v1alpha4'),
      spec: {
        destination: bound('api', { ...group, namespace: 'shop' }),
        rules,
        sources: [sources[0], bound('scrapers'), bound('web', group)],
      },
    }

    test.each(['v1alpha1', 'v1alpha2', 'v1alpha3'] as const)('come back as they were from %s', (version) => {
      const read = as(written, version)
      const body = (version === 'v1alpha1' ? read : read['spec']) as Record<string, unknown>
      // What knows ServiceAccounts alone sees one that cannot be, and takes it for nobody.
      expect(body['destination']).toEqual({
        kind: 'ServiceAccount',
        name: 'access.smi-spec.io/IdentityBinding/api',
        namespace: 'shop',
      })
      expect(body['sources']).toEqual([
        sources[0],
        { kind: 'ServiceAccount', name: 'IdentityBinding/scrapers' },
        { kind: 'ServiceAccount', name: 'access.smi-spec.io/IdentityBinding/web' },
      ])
      expect(as(read, 'v1alpha4')).toEqual(written)
    })

    test('keep their order and whatever else is written in an older version', () => {
      const read = as(written, 'v1alpha2')
      const spec = read['spec'] as Record<string, unknown>
      const changed = { ...read, spec: { ...spec, sources: (spec['sources'] as unknown[]).toReversed() } }
      expect(as(changed, 'v1alpha4')['spec']).toMatchObject({
        sources: [bound('web', group), bound('scrapers'), sources[0]],
      })
    })
  })
})

test('whatever an object is, it is converted or named, and nothing throws', () => {
  const anything = fc.dictionary(
    fc.constantFrom('metadata', 'spec', 'matches', 'destination', 'specs', 'sources'),
    fc.jsonValue({ maxDepth: 4 }),
  )
  const kinds = ['split.smi-spec.io TrafficSplit', 'specs.smi-spec.io HTTPRouteGroup']
  const more = ['specs.smi-spec.io TCPRoute', 'access.smi-spec.io TrafficTarget']
  const version = fc.constantFrom(...smiVersions)
  fc.assert(
    fc.property(fc.constantFrom(...kinds, ...more), version, version, anything, (of, from, to, fields) => {
      const [group, kind] = of.split(' ')
      const object = { ...fields, apiVersion: `${group}/${from}`, kind }
      expect(convertObject(object, `${group}/${to}`)).toMatchObject({ ok: true })
    }),
  )
})

describe('a review', () => {
  const review = (request: object): string =>
    JSON.stringify({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview', request })

  test('is answered with its uid and every object, in order', () => {
    const objects = [split('v1alpha1', ['500m', '1']), split('v1alpha4', [1, 2])]
    const read = readConversion(
      review({ uid: 'u', desiredAPIVersion: 'split.smi-spec.io/v1alpha4', objects }),
    )
    if (!read.ok) throw new Error(read.problem)
    const { response } = convertReview(read.request) as { response: { convertedObjects: SmiObject[] } }
    expect(response).toMatchObject({ uid: 'u', result: { status: 'Success' } })
    expect(response.convertedObjects.map(weightsOf)).toEqual([
      [1, 2],
      [1, 2],
    ])
  })

  test.each([
    ['a kind that is not SMI', { ...split('v1alpha1', ['1']), kind: 'Other' }, 'split.smi-spec.io/v1alpha4'],
    ['a version that is not there', split('v1alpha1', ['1']), 'split.smi-spec.io/v1'],
    ['another group', split('v1alpha1', ['1']), 'specs.smi-spec.io/v1alpha4'],
  ])('of %s fails and says so', (_what, object, desiredApiVersion) => {
    const answered = convertReview({ uid: 'u', desiredApiVersion, objects: [object] })
    expect(answered).toMatchObject({ response: { uid: 'u', result: { status: 'Failure' } } })
    expect(JSON.stringify(answered)).toContain('is not converted from')
  })

  test.each(['', '{', 'null', '[]', review({}), review({ uid: 'u' })])(
    'that is none is refused: %s',
    (body) => {
      expect(readConversion(body).ok).toBe(false)
    },
  )
})

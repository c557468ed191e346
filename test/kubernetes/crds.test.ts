/** The CustomResourceDefinitions, as the API server judges by them. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { installText } from '../../cli/install.ts'
import { accountKubeconfig } from '../support/account-kubeconfig.ts'
import { ApiServer } from '../support/api-server.ts'
import { ClusterControlPlane } from '../support/cluster-control-plane.ts'
import { ConvertingInjector } from '../support/converting-injector.ts'

const folder = path.join(import.meta.dirname, '../../deploy/crds')
const versions = ['v1alpha1', 'v1alpha2', 'v1alpha3', 'v1alpha4']

const accounts = mkdtempSync(path.join(tmpdir(), 'weft-crds-'))

let server: ApiServer
let plane: ClusterControlPlane
let injector: ConvertingInjector

beforeAll(async () => {
  server = await ApiServer.start()
  await server.apply(
    installText({
      image: 'weft',
      imagePullPolicy: 'IfNotPresent',
      trustDomain: 'cluster.local',
      interception: 'init',
      ha: false,
    }),
  )
  await server.kubectl(['wait', '--for=condition=Established', '--timeout=30s', '-f', folder])
  await server.kubectl(['create', 'namespace', 'crds'])
  injector = await ConvertingInjector.start(
    server,
    await accountKubeconfig(server, 'weft-injector', accounts),
  )
  plane = await ClusterControlPlane.start(await accountKubeconfig(server, 'weft-control-plane', accounts))
  await plane.untilReady()
}, 300_000)

afterAll(async () => {
  await plane?.stop()
  await injector?.stop()
  await server?.kubectl(['delete', 'namespace', 'crds', '--wait=false'])
  await server?.stop()
  rmSync(accounts, { recursive: true, force: true })
})

async function succeeds(args: readonly string[]): Promise<boolean> {
  return server.kubectl(args).then(
    () => true,
    () => false,
  )
}

function manifest(apiVersion: string, kind: string, fields: string, name = 'one'): string {
  return `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: ${name}, namespace: crds}\n${fields}\n`
}

const service = (name: string): string => manifest('v1', 'Service', 'spec: {ports: [{port: 80}]}', name)

/** The weights, in thousandths, that the control plane has of a split. */
async function followed(name: string): Promise<readonly number[] | undefined> {
  const { splits } = await plane.page<{
    readonly splits: readonly {
      readonly name: string
      readonly ports: readonly { readonly backends: readonly { readonly weightMilli: number }[] }[]
    }[]
  }>('/splits')
  return splits.find((split) => split.name === name)?.ports[0]?.backends.map(({ weightMilli }) => weightMilli)
}

const refusal = async (text: string): Promise<string> => {
  try {
    await server.apply(text)
  } catch (error) {
    return String(error)
  }
  return 'it was accepted'
}

test('all of them are structural, and established', async () => {
  const names = await server.kubectl([
    'get',
    'crds',
    '-o',
    'jsonpath={range .items[*]}{.metadata.name} {.status.conditions[?(@.type=="NonStructuralSchema")].status}{.status.conditions[?(@.type=="Established")].status}{"\\n"}{end}',
  ])
  const files = readdirSync(folder).map((file) => file.replace(/^(.*)_(.*)\.yaml$/, '$2.$1 True'))
  expect(names.trim().split('\n').toSorted()).toEqual(expect.arrayContaining(files.toSorted()))
})

type Read = {
  readonly apiVersion: string
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> }
  readonly spec: {
    readonly backends: readonly { readonly service: string; readonly weight: number | string }[]
    readonly matches?: readonly object[]
  }
}

const raw = async <T = Read>(group: string, version: string, plural: string, name: string): Promise<T> => {
  const at = `/apis/${group}.smi-spec.io/${version}/namespaces/crds/${plural}/${name}`
  return JSON.parse(await server.kubectl(['get', '--raw', at])) as T
}
const rawSplit = (version: string, name: string): Promise<Read> =>
  raw('split', version, 'trafficsplits', name)
const weightsOf = ({ spec }: Read): unknown[] => spec.backends.map(({ weight }) => weight)

describe('TrafficSplit', () => {
  const spec = (a: number | string, b: number | string = 1, more = ''): string =>
    `spec: {service: catalog, backends: [{service: a, weight: ${a}}, {service: b, weight: ${b}}]${more}}`
  const split = (version: string, fields: string, name: string): string =>
    manifest(`split.smi-spec.io/${version}`, 'TrafficSplit', fields, name)

  test.each([
    ['v1alpha1', '500m', '1', ['500m', 1], [1, 2]],
    ['v1alpha1', '"90"', '"10"', ['90', '10'], [90, 10]],
    ['v1alpha1', '1.5', '0.25', ['1.5', '0.25'], [6, 1]],
    ['v1alpha2', 90, 10, ['90', '10'], [90, 10]],
    ['v1alpha3', 0, 1000, ['0', '1000'], [0, 1000]],
    ['v1alpha4', 333, 667, ['333', '667'], [333, 667]],
  ] as const)(
    'written in %s with %s and %s is read in every version',
    async (version, a, b, first, whole) => {
      const name = `${version}-${String(a).replaceAll(/[^0-9a-z]/g, '')}`
      // kubectl refuses fractions that are no text.
      const text = typeof a === 'string' && a.includes('.') ? spec(`'${a}'`, `'${b}'`) : spec(a, b)
      await server.apply(split(version, text, name))
      for (const other of versions) {
        const resource = `trafficsplits.${other}.split.smi-spec.io/${name}`
        const read = JSON.parse(await server.kubectl(['get', resource, '-n', 'crds', '-o', 'json'])) as Read
        expect(read.apiVersion).toBe(`split.smi-spec.io/${other}`)
        expect(weightsOf(read)).toEqual(other === 'v1alpha1' ? first : whole)
        expect(weightsOf(await rawSplit(other, name))).toEqual(weightsOf(read))
      }
    },
  )

  test('is stored in the version that the control plane watches, which says in status and Events what it makes of it', async () => {
    await server.apply(service('followed'))
    const fields = spec('250m', '750m').replace('catalog', 'followed')
    await server.apply(split('v1alpha1', fields, 'followed'))
    await expect.poll(() => followed('followed'), { timeout: 10_000 }).toEqual([1000, 3000])
    const conditions = async (): Promise<string> => {
      const { status } = (await rawSplit('v1alpha2', 'followed')) as Read & { readonly status?: object }
      return JSON.stringify(status ?? {})
    }
    await expect.poll(conditions, { timeout: 10_000 }).toContain('"reason":"BackendUnknown"')
    expect(await rawSplit('v1alpha4', 'followed')).toMatchObject({
      spec: { backends: [{ weight: 1 }, { weight: 3 }] },
    })
    expect(weightsOf(await rawSplit('v1alpha1', 'followed'))).toEqual(['250m', '750m'])
    const about = 'involvedObject.kind=TrafficSplit,involvedObject.name=followed'
    await expect
      .poll(() => server.kubectl(['get', 'events', '-n', 'crds', '--field-selector', about]), {
        timeout: 10_000,
      })
      .toContain('BackendUnknown')
  })

  test('has weights changed by a client of one version, and they are those of every other', async () => {
    await server.apply(split('v1alpha1', spec('500m', '1'), 'moved'))
    const patch = async (version: string, a: number | string, b: number | string): Promise<void> => {
      const backends = [
        { service: 'a', weight: a },
        { service: 'b', weight: b },
      ]
      const resource = `trafficsplits.${version}.split.smi-spec.io/moved`
      const change = JSON.stringify({ spec: { backends } })
      await server.kubectl(['patch', resource, '-n', 'crds', '--type=merge', '-p', change])
    }
    await patch('v1alpha2', 75, 25)
    expect(weightsOf(await rawSplit('v1alpha1', 'moved'))).toEqual(['75', '25'])
    await patch('v1alpha1', '5', '95')
    expect(weightsOf(await rawSplit('v1alpha4', 'moved'))).toEqual([5, 95])
    await patch('v1alpha1', '1500m', '500m')
    expect(weightsOf(await rawSplit('v1alpha3', 'moved'))).toEqual([3, 1])
    expect(weightsOf(await rawSplit('v1alpha1', 'moved'))).toEqual(['1500m', '500m'])
  })

  test('keeps its matches when a client of a version without them reads, changes and writes it', async () => {
    const matches = ', matches: [{kind: HTTPRouteGroup, name: testers}]'
    await server.apply(split('v1alpha4', spec(1, 1, matches), 'matching'))
    for (const version of ['v1alpha1', 'v1alpha2']) {
      const read = await rawSplit(version, 'matching')
      expect(read.spec.matches).toBeUndefined()
      const weights = version === 'v1alpha1' ? ['700m', '300m'] : [6, 4]
      const backends = read.spec.backends.map(({ service }, i) => ({ service, weight: weights[i] }))
      const changed = { ...read, spec: { ...read.spec, backends } }
      await server.kubectl(['replace', '-f', '-'], JSON.stringify(changed))
      const stored = await rawSplit('v1alpha4', 'matching')
      expect(stored.spec.matches).toEqual([{ kind: 'HTTPRouteGroup', name: 'testers' }])
      expect(weightsOf(stored)).toEqual(version === 'v1alpha1' ? [7, 3] : [6, 4])
    }
  })

  test('has owners of its fields, whatever the versions in which they apply', async () => {
    const apply = (text: string, manager: string): Promise<string> =>
      server.kubectl(['apply', '--server-side', `--field-manager=${manager}`, '-f', '-'], text)
    await apply(split('v1alpha1', spec('500m', '1'), 'owned'), 'one')
    await apply(split('v1alpha1', spec('250m', '1'), 'owned'), 'one')
    expect(weightsOf(await rawSplit('v1alpha4', 'owned'))).toEqual([1, 4])
    await expect(apply(split('v1alpha2', spec(1, 1), 'owned'), 'other')).rejects.toThrow(/conflict/)
    await apply(split('v1alpha2', spec(2, 3), 'owned'), 'one')
    expect(weightsOf(await rawSplit('v1alpha1', 'owned'))).toEqual(['2', '3'])
  })

  test.each([
    ['a weight below zero', 'v1alpha1', spec(-1), 'must be a quantity'],
    ['a weight below zero', 'v1alpha2', spec(-1), 'greater than or equal to 0'],
    ['a weight that is none', 'v1alpha1', spec('many'), 'must be a quantity'],
    ['a weight finer than a thousandth', 'v1alpha1', spec('"0.0001"'), 'must be a quantity'],
    ['a fraction beside too large a weight', 'v1alpha1', spec('500m', '2M'), 'beside a fraction'],
    ['a quantity where whole numbers are', 'v1alpha2', spec('500m'), 'must be of type integer'],
    [
      'matches where there are none yet',
      'v1alpha2',
      spec(1, 1, ', matches: []'),
      'unknown field "spec.matches"',
    ],
    [
      'matches of another kind',
      'v1alpha4',
      spec(1, 1, ', matches: [{kind: X, name: x}]'),
      'Unsupported value',
    ],
    ['no backends', 'v1alpha2', 'spec: {service: catalog, backends: []}', 'should have at least 1'],
    [
      'a backend twice',
      'v1alpha2',
      'spec: {service: c, backends: [{service: a, weight: 1}, {service: a, weight: 2}]}',
      'named twice',
    ],
    ['no Service', 'v1alpha2', 'spec: {backends: [{service: a, weight: 1}]}', 'spec.service: Required value'],
  ])('with %s is refused in %s', async (_what, version, fields, problem) => {
    expect(await refusal(split(version, fields, 'refused'))).toContain(problem)
  })

  test('is listed with its Service', async () => {
    await server.apply(split('v1alpha2', spec(1), 'listed'))
    expect(await server.kubectl(['get', 'ts', '-n', 'crds', 'listed'])).toMatch(/SERVICE.*\n.*catalog/)
  })
})

describe('the traffic specs', () => {
  const specs = (version: string, kind: string, fields: string, name: string): string =>
    manifest(`specs.smi-spec.io/${version}`, kind, fields, name)

  test.each(versions)('written in %s are where each version has its fields', async (version) => {
    const [group, name] = ['matches: [{name: m, methods: [GET]}]', `specs-${version}`]
    await server.apply(
      specs(version, 'HTTPRouteGroup', version < 'v1alpha3' ? group : `spec: {${group}}`, name),
    )
    for (const other of versions) {
      const read = await raw<Record<string, unknown>>('specs', other, 'httproutegroups', name)
      const matches = [{ name: 'm', methods: ['GET'] }]
      expect(other < 'v1alpha3' ? read['matches'] : read['spec']).toEqual(
        other < 'v1alpha3' ? matches : { matches },
      )
    }
    const ports = version === 'v1alpha4' ? 'spec: {matches: {ports: [3306]}}' : 'spec: {}'
    await server.apply(specs(version, 'TCPRoute', version < 'v1alpha3' ? '' : ports, name))
    const { spec } = await raw<Record<string, unknown>>('specs', 'v1alpha4', 'tcproutes', name)
    expect(spec).toEqual(version === 'v1alpha4' ? { matches: { ports: [3306] } } : {})
  })

  test('keep headers and ports through a version that has no place for them', async () => {
    const headers = 'spec: {matches: [{name: m, headers: [{user-agent: ".*test.*"}]}]}'
    await server.apply(specs('v1alpha4', 'HTTPRouteGroup', headers, 'kept'))
    await server.apply(specs('v1alpha4', 'TCPRoute', 'spec: {matches: {ports: [3306]}}', 'kept'))
    for (const plural of ['httproutegroups', 'tcproutes']) {
      const before = await raw<Read>('specs', 'v1alpha4', plural, 'kept')
      const oldest = await raw<Record<string, unknown>>('specs', 'v1alpha1', plural, 'kept')
      expect(JSON.stringify({ ...oldest, metadata: undefined })).not.toMatch(/user-agent|3306/)
      await server.kubectl(['replace', '-f', '-'], JSON.stringify(oldest))
      expect((await raw<Read>('specs', 'v1alpha4', plural, 'kept')).spec).toEqual(before.spec)
    }
  })

  test.each([
    ['no matches', 'v1alpha4', 'HTTPRouteGroup', 'spec: {}', 'spec.matches: Required value'],
    [
      'two matches of one name',
      'v1alpha2',
      'HTTPRouteGroup',
      'matches: [{name: m}, {name: m}]',
      'Duplicate value',
    ],
    [
      'headers before there were any',
      'v1alpha1',
      'HTTPRouteGroup',
      'matches: [{name: m, headers: {a: b}}]',
      'unknown field',
    ],
    ['ports before there were any', 'v1alpha3', 'TCPRoute', 'spec: {matches: {ports: [1]}}', 'unknown field'],
    [
      'a port that is none',
      'v1alpha4',
      'TCPRoute',
      'spec: {matches: {ports: [70000]}}',
      'less than or equal to 65535',
    ],
  ])('with %s are refused in %s', async (_what, version, kind, fields, problem) => {
    expect(await refusal(specs(version, kind, fields, 'refused'))).toContain(problem)
  })
})

describe('TrafficTarget', () => {
  const destination = 'destination: {kind: ServiceAccount, name: api, namespace: crds'
  const lists =
    'rules: [{kind: HTTPRouteGroup, name: m}], sources: [{kind: ServiceAccount, name: web, namespace: crds}]'
  const target = (version: string, name: string, port = ''): string =>
    manifest(
      `access.smi-spec.io/${version}`,
      'TrafficTarget',
      version === 'v1alpha1'
        ? `${destination}${port}}\n${lists.replace('rules', 'specs').replace('], s', ']\ns')}`
        : `spec: {${destination}${port}}, ${lists}}`,
      name,
    )

  test.each(versions)('written in %s is read in every version', async (version) => {
    await server.apply(target(version, version))
    for (const other of versions) {
      const read = await raw<Record<string, unknown>>('access', other, 'traffictargets', version)
      const body = (other === 'v1alpha1' ? read : read['spec']) as Record<string, unknown>
      expect(body['destination']).toEqual({ kind: 'ServiceAccount', name: 'api', namespace: 'crds' })
      expect(body[other === 'v1alpha1' ? 'specs' : 'rules']).toEqual([{ kind: 'HTTPRouteGroup', name: 'm' }])
      expect(body['sources']).toEqual([{ kind: 'ServiceAccount', name: 'web', namespace: 'crds' }])
    }
    expect(await server.kubectl(['get', 'tt', '-n', 'crds', version])).toMatch(/DESTINATION.*\n.*api .*web/)
  })

  test('is told about nobody where no pod runs as its destination', async () => {
    await server.apply(target('v1alpha4', 'nobody'))
    const path = 'jsonpath={.status.conditions[*].reason}'
    const reasons = (): Promise<string> => server.kubectl(['get', 'tt/nobody', '-n', 'crds', '-o', path])
    await expect.poll(reasons, { timeout: 20_000 }).toBe('TargetNotFound RouteNotFound')
  })

  test('keeps its IdentityBindings through versions that have none, and says whom it finds', async () => {
    const bound = (name: string): string =>
      `{kind: IdentityBinding, group: access.smi-spec.io, name: ${name}}`
    const spec = `spec: {destination: ${bound('api')}, rules: [{kind: HTTPRouteGroup, name: m}], sources: [${bound('gone')}]}`
    const schemes = 'spec: {schemes: {podLabelSelectors: [{matchLabels: {app: none}}]}}'
    await server.apply(manifest('access.smi-spec.io/v1alpha4', 'IdentityBinding', schemes, 'api'))
    await server.apply(manifest('access.smi-spec.io/v1alpha4', 'TrafficTarget', spec, 'bound'))
    const written = await raw<{ spec: object }>('access', 'v1alpha4', 'traffictargets', 'bound')
    await server.kubectl(['label', 'traffictargets.v1alpha2.access.smi-spec.io/bound', '-n', 'crds', 'a=b'])
    const older = await raw<{ spec: object }>('access', 'v1alpha2', 'traffictargets', 'bound')
    expect(older.spec).toMatchObject({
      destination: { kind: 'ServiceAccount', name: 'access.smi-spec.io/IdentityBinding/api' },
    })
    const after = await raw<{ spec: object }>('access', 'v1alpha4', 'traffictargets', 'bound')
    expect(after.spec).toEqual(written.spec)
    const reasons = (of: string): Promise<string> =>
      server.kubectl(['get', of, '-n', 'crds', '-o', 'jsonpath={.status.conditions[*].reason}'])
    await expect
      .poll(() => Promise.all(['identitybinding/api', 'tt/bound'].map(reasons)), { timeout: 20_000 })
      .toEqual(['TargetNotFound ResolvedRefs', 'TargetNotFound RouteNotFound'])
  })

  test('keeps the port of its destination, which later versions do not have', async () => {
    await server.apply(target('v1alpha1', 'port', ', port: 8080'))
    const { spec } = await raw<{ spec: { destination: object } }>(
      'access',
      'v1alpha4',
      'traffictargets',
      'port',
    )
    expect(spec.destination).not.toHaveProperty('port')
    const second = await raw<{ spec: { destination: object } }>(
      'access',
      'v1alpha2',
      'traffictargets',
      'port',
    )
    expect(second.spec.destination).toHaveProperty('port', 8080)
  })

  test.each([
    ['a port where there is none any more', target('v1alpha3', 'refused', ', port: 80'), 'unknown field'],
    ['a port that is none', target('v1alpha1', 'refused', ', port: 0'), 'must be a port'],
    [
      'an identity that is none',
      target('v1alpha3', 'refused').replace('ServiceAccount', 'User'),
      'Unsupported value',
    ],
    [
      'a binding by what excludes each other',
      manifest(
        'access.smi-spec.io/v1alpha4',
        'IdentityBinding',
        'spec: {schemes: {serviceAccount: web, podLabelSelectors: [{matchLabels: {a: b}}]}}',
        'refused',
      ),
      'has either',
    ],
  ])('with %s is refused', async (_what, text, problem) => {
    expect(await refusal(text)).toContain(problem)
  })
})

describe('TrafficPolicy', () => {
  const target = 'targetRefs: [{kind: Service, name: catalog}]'
  const policy = (settings: string, targets = target): string =>
    manifest('weft.dev/v1alpha1', 'TrafficPolicy', `spec: {${targets}, ${settings}}`, 'policy')

  test('with all sections is accepted, and listed with its target', async () => {
    await server.apply(
      policy(`timeouts: {request: 1m30s, idle: 1.5s},
        retries: {conditions: [5xx], statusCodes: [503, '500-504'], backoff: {base: 25ms}, hedging: {percentile: 95}},
        balancer: {type: Maglev, maglev: {tableSize: 65537}, hash: [{cookie: {name: c, ttl: '0'}}, {sourceIp: true}]},
        connectionPool: {maxPending: 0}, outlierDetection: {successRate: {thresholdPercent: 50}},
        rateLimit: {requestsPerSecond: 0.5, per: {header: x-user}},
        fault: {abort: {grpcStatus: UNAVAILABLE, percent: 0.5}, headers: [{name: x, value: z}]}`),
    )
    expect(await server.kubectl(['get', 'tp', '-n', 'crds'])).toMatch(/TARGET.*\n.*catalog/)
  })

  test.each([
    ['no target', policy('timeouts: {}', 'targetRefs: []'), 'should have at least 1'],
    [
      'a target named twice over',
      policy('timeouts: {}', 'targetRefs: [{kind: Service, name: c, port: 80, sectionName: http}]'),
      'port says the same as sectionName',
    ],
    ['a misspelt section', policy('timeout: {request: 1s}'), 'unknown field'],
    ['a duration without unit', policy("timeouts: {request: '5'}"), 'should match'],
    ['a status code that is none', policy('retries: {statusCodes: [700]}'), 'must be a status code'],
    [
      'two timeouts of one attempt',
      policy('timeouts: {perTry: 1s}, retries: {perTryTimeout: 1s}'),
      'keep one of them',
    ],
    ['a hash without a hashing balancer', policy('balancer: {hash: [{header: x}]}'), 'a hash goes together'],
    ['a hashing balancer without a hash', policy('balancer: {type: RingHash}'), 'a hash goes together'],
    [
      "another balancer's settings",
      policy('balancer: {type: Random, leastRequest: {choices: 3}}'),
      'leastRequest is for the type LeastRequest',
    ],
    ['a fault that does nothing', policy('fault: {headers: []}'), 'must have a delay or an abort'],
    [
      'a fault with two statuses',
      policy('fault: {abort: {status: 503, grpcStatus: UNAVAILABLE}}'),
      'must have either a status or a grpcStatus',
    ],
  ])('with %s is refused', async (_what, text, problem) => {
    expect(await refusal(text)).toContain(problem)
  })
})

describe('AccessPolicy', () => {
  const policy = (spec: string, targets = '{kind: Namespace, name: crds}'): string =>
    manifest('weft.dev/v1alpha1', 'AccessPolicy', `spec: {targetRefs: [${targets}], ${spec}}`, 'access')
  const rule = (fields: string): string => policy(`rules: [{action: deny, ${fields}}]`)

  test('with all fields is accepted, followed, and listed with what became of it', async () => {
    await server.apply(
      policy(
        `mtls: {mode: strict, ports: [{port: 9090, mode: permissive}]}, default: deny,
        rules: [{name: r, action: allow,
          from: [{principals: ['*', '*/sa/web', 'spiffe://td/*'], serviceAccounts: [web, shop/web], namespaces: [shop], cidrs: [10.0.0.0/8, '::1']}],
          to: [{ports: [8080], paths: [/a, /b/*, '*', /*], methods: [GET], headers: [{name: x, type: RegularExpression, value: 'a.*'}]}]}]`,
        '{kind: Namespace, name: crds}, {kind: Pod, matchLabels: {app: none}}, {kind: Service, name: s, port: 80}',
      ),
    )
    const listed = (): Promise<string> => server.kubectl(['get', 'ap', '-n', 'crds'])
    await expect
      .poll(listed, { timeout: 20_000 })
      .toMatch(/MTLS +DEFAULT +ACCEPTED.*\naccess +strict +deny +False/)
    const conditions = await server.kubectl([
      'get',
      'ap/access',
      '-n',
      'crds',
      '-o',
      'jsonpath={.status.conditions}',
    ])
    expect(conditions).toMatch(/app=none.*other targets.*TargetNotFound/)
    await server.apply(policy('default: deny'))
    await expect.poll(listed, { timeout: 20_000 }).toMatch(/access .*deny +True/)
  })

  test.each([
    ['nothing to say', policy(''), 'must have mtls, default or rules'],
    ['a Service without a name', policy('default: deny', '{kind: Service}'), 'have a name'],
    ['pods without labels', policy('default: deny', '{kind: Pod}'), 'has matchLabels'],
    [
      'a port of a namespace',
      policy('default: deny', '{kind: Namespace, name: crds, port: 80}'),
      'only a Service',
    ],
    [
      'a rule called as the policy calls itself',
      rule('name: default'),
      'is what the policy itself is called',
    ],
    ['a source that is nobody', rule('from: [{}]'), 'should have at least 1'],
    ['an empty list of principals', rule('from: [{principals: []}]'), 'should have at least 1'],
    ['an encoded path', rule("to: [{paths: ['/a%20b']}]"), 'should match'],
    ['a star within a path', rule("to: [{paths: ['/a*']}]"), 'should match'],
  ])('with %s is refused', async (_what, text, problem) => {
    expect(await refusal(text)).toContain(problem)
  })
})

describe('while the webhook is away', () => {
  const weight = (version: string): Promise<string> =>
    server.kubectl([
      'get',
      `trafficsplits.${version}.split.smi-spec.io/away`,
      '-n',
      'crds',
      '-o',
      'jsonpath={..weight}',
    ])
  const split = (version: string, weights: readonly [string, string]): string =>
    manifest(
      `split.smi-spec.io/${version}`,
      'TrafficSplit',
      `spec: {service: away, backends: [{service: a, weight: ${weights[0]}}, {service: b, weight: ${weights[1]}}]}`,
      'away',
    )

  test('the version that is stored is read, written and followed; others say why not, and come back with it', async () => {
    await server.apply(service('away'))
    await server.apply(split('v1alpha1', ['500m', '1']))
    await injector.stop()
    expect(await weight('v1alpha4')).toBe('1 2')
    await server.apply(split('v1alpha4', ['3', '4']))
    await expect.poll(() => followed('away'), { timeout: 10_000 }).toEqual([3000, 4000])
    expect(await refusal(split('v1alpha2', ['5', '6']))).toContain('conversion webhook')
    // What goes while it is away is gone, a namespace with splits too.
    await server.kubectl(['create', 'namespace', 'gone'])
    await server.apply(split('v1alpha4', ['1', '1']).replace('namespace: crds', 'namespace: gone'))
    await server.kubectl(['delete', 'namespace', 'gone', '--timeout=30s'])
    await injector.startAgain()
    await expect
      .poll(() => succeeds(['get', 'trafficsplits.v1alpha1.split.smi-spec.io', '-A']), { timeout: 60_000 })
      .toBe(true)
    expect(await weight('v1alpha1')).toBe('3 4')
    await server.apply(split('v1alpha2', ['5', '6']))
    expect(await weight('v1alpha4')).toBe('5 6')
  })
})

/** The CustomResourceDefinitions, as the API server judges by them. */
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ApiServer } from '../support/api-server.ts'

const folder = path.join(import.meta.dirname, '../../deploy/crds')
const versions = ['v1alpha1', 'v1alpha2', 'v1alpha3', 'v1alpha4']

let server: ApiServer

beforeAll(async () => {
  server = await ApiServer.start()
  await server.kubectl(['apply', '-f', folder])
  await server.kubectl(['wait', '--for=condition=Established', '--timeout=30s', '-f', folder])
  await server.kubectl(['create', 'namespace', 'crds'])
})

afterAll(async () => {
  await server?.kubectl(['delete', 'namespace', 'crds', '--wait=false'])
  await server?.stop()
})

function manifest(apiVersion: string, kind: string, fields: string, name = 'one'): string {
  return `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: ${name}, namespace: crds}\n${fields}\n`
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

describe('TrafficSplit', () => {
  const spec = (weight: number | string): string =>
    `spec: {service: catalog, backends: [{service: a, weight: ${weight}}, {service: b, weight: 1}]}`

  test.each(versions)('is written and read in %s', async (version) => {
    await server.apply(manifest(`split.smi-spec.io/${version}`, 'TrafficSplit', spec('500m'), version))
    for (const other of versions) {
      const resource = `trafficsplits.${other}.split.smi-spec.io`
      const weight = '{.apiVersion} {.spec.backends[0].weight}'
      expect(await server.kubectl(['get', resource, version, '-n', 'crds', '-o', `jsonpath=${weight}`])).toBe(
        `split.smi-spec.io/${other} 500m`,
      )
    }
  })

  test.each([
    ['a weight below zero', spec(-1), 'must be a whole number'],
    ['a weight that is none', spec('many'), 'must be a whole number'],
    ['no backends', 'spec: {service: catalog, backends: []}', 'should have at least 1'],
    [
      'a backend twice',
      'spec: {service: c, backends: [{service: a, weight: 1}, {service: a, weight: 2}]}',
      'named twice',
    ],
    ['no Service', 'spec: {backends: [{service: a, weight: 1}]}', 'spec.service: Required value'],
  ])('with %s is refused', async (_what, fields, problem) => {
    expect(await refusal(manifest('split.smi-spec.io/v1alpha2', 'TrafficSplit', fields))).toContain(problem)
  })

  test('is listed with its Service', async () => {
    await server.apply(manifest('split.smi-spec.io/v1alpha2', 'TrafficSplit', spec(1), 'listed'))
    expect(await server.kubectl(['get', 'ts', '-n', 'crds', 'listed'])).toMatch(/SERVICE.*\n.*catalog/)
  })
})

describe('the traffic specs', () => {
  test.each(versions)('%s has its fields where that version has them', async (version) => {
    const apiVersion = `specs.smi-spec.io/${version}`
    const [group, tcp] = ['matches: [{name: m, methods: [GET]}]', 'matches: {ports: [8080]}']
    const fields = (text: string): string => (version < 'v1alpha3' ? text : `spec: {${text}}`)
    await server.apply(manifest(apiVersion, 'HTTPRouteGroup', fields(group), version))
    await server.apply(manifest(apiVersion, 'TCPRoute', fields(tcp), version))
  })

  test('a group without matches is refused', async () => {
    const text = manifest('specs.smi-spec.io/v1alpha4', 'HTTPRouteGroup', 'spec: {}')
    expect(await refusal(text)).toContain('matches must be there once')
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
        fault: {abort: {status: 503, percent: 0.5}, headers: [{name: x, value: z}]}`),
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
  ])('with %s is refused', async (_what, text, problem) => {
    expect(await refusal(text)).toContain(problem)
  })
})

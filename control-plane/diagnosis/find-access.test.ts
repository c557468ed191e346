import { expect, test } from 'vitest'
import type { DiagnosedEndpoint, DiagnosedRequest } from '../../api/diagnosis.ts'
import type { AccessPolicy, AccessRule } from '../model/access-policy.ts'
import { MeshModel } from '../model/mesh-model.ts'
import type { Workload } from '../model/objects.ts'
import { workload } from '../model/test-objects.ts'
import { findAccess } from './find-access.ts'

const inMesh = { inject: true, addresses: ['10.1.0.1'] }
const endpoint: DiagnosedEndpoint = {
  address: '10.1.0.2:8080',
  workload: 'shop/catalog',
  meshed: true,
  identity: 'spiffe://cluster.local/ns/shop/sa/catalog',
  applicationPort: 8080,
  sidecar: null,
}
const sidecar = {
  version: '0.1.0',
  admin: null,
  connectedAtMs: 0,
  bundle: null,
  certificateRoot: null,
  certificateNotAfterMs: null,
  refused: [],
}
const get: DiagnosedRequest = { method: 'GET', path: '/items/1?x=y', headers: [{ name: 'x-a', value: 'b' }] }
const anybody = { principals: [], serviceAccounts: [], namespaces: [], cidrs: [] }
const anything = { ports: [], paths: [], methods: [], headers: [] }

function asked(
  spec: Partial<AccessPolicy>,
  {
    from = inMesh,
    request = get,
    proves,
  }: {
    readonly from?: Partial<Workload>
    readonly request?: DiagnosedRequest
    readonly proves?: string
  } = {},
): readonly string[] {
  const model = new MeshModel()
  const value: AccessPolicy = {
    namespace: 'shop',
    name: 'p',
    targets: [{ kind: 'serviceAccount', name: 'catalog' }],
    mtls: undefined,
    mtlsOfPorts: [],
    verdict: undefined,
    rules: [],
    ...spec,
  }
  model.apply([
    workload('web', from),
    workload('catalog', { inject: true }),
    { kind: 'accessPolicy', key: 'shop/p', value },
  ])
  const sidecarOf = () =>
    proves === undefined ? undefined : { ...sidecar, namespace: 'shop', pod: 'web', identity: proves }
  const mesh = { model, trustDomain: 'cluster.local', sidecarOf }
  return findAccess(mesh, model.workload('shop/web'), [endpoint], request).map(
    ({ id, outcome, message }) =>
      `${outcome} ${id} ${/accesspolicy\/shop\/(p\/[a-z]+)/.exec(message)?.[1] ?? ''}`,
  )
}

const rule = (action: AccessRule['action'], facts: Partial<AccessRule> = {}): AccessRule => ({
  name: 'r',
  action,
  from: [],
  to: [],
  ...facts,
})

test('where nobody says anything, there is nothing to tell', () => {
  expect(asked({})).toEqual([])
})

test('who calls in clear is told that mesh mTLS is asked for', () => {
  expect(asked({ mtls: 'strict' }, { from: {} })).toEqual(['fails MESH_TLS_REQUIRED p/mtls'])
  expect(asked({ mtls: 'strict' })).toEqual([])
})

test('a sidecar that is connected counts, also of a pod that says nothing of one', () => {
  const proves = 'spiffe://cluster.local/ns/shop/sa/web'
  expect(asked({ mtls: 'strict' }, { from: {}, proves })).toEqual([])
})

test.each<[string, AccessRule]>([
  ['anybody', rule('allow')],
  [
    'its account',
    rule('allow', { from: [{ ...anybody, serviceAccounts: [{ namespace: 'shop', name: 'web' }] }] }),
  ],
  ['its namespace', rule('allow', { from: [{ ...anybody, namespaces: ['shop'] }] })],
  [
    'a beginning of its name',
    rule('allow', { from: [{ ...anybody, principals: ['spiffe://cluster.local/*'] }] }),
  ],
  [
    'its address',
    rule('allow', { from: [{ ...anybody, cidrs: [{ address: '10.1.0.0', prefixLength: 16 }] }] }),
  ],
  ['the path', rule('allow', { to: [{ ...anything, paths: [{ kind: 'below', value: '/items' }] }] })],
  ['a regex of it', rule('allow', { to: [{ ...anything, paths: [{ kind: 'regex', value: '/it.*' }] }] })],
  ['method and port', rule('allow', { to: [{ ...anything, ports: [8080], methods: ['GET'] }] })],
  [
    'a header',
    rule('allow', { to: [{ ...anything, headers: [{ name: 'x-a', value: 'b', regex: false }] }] }),
  ],
])('a rule that allows %s is named', (_, allowing) => {
  expect(asked({ rules: [allowing] })).toEqual(['ok ACCESS_ALLOWED p/r'])
})

test.each<[string, AccessRule]>([
  [
    'another account',
    rule('allow', { from: [{ ...anybody, serviceAccounts: [{ namespace: 'x', name: 'web' }] }] }),
  ],
  ['another path', rule('allow', { to: [{ ...anything, paths: [{ kind: 'exact', value: '/items' }] }] })],
  ['another port', rule('allow', { to: [{ ...anything, ports: [1] }] })],
  ['another address', rule('allow', { from: [{ ...anybody, cidrs: [{ address: '::', prefixLength: 8 }] }] })],
])('a rule that allows %s leaves it denied', (_, allowing) => {
  expect(asked({ rules: [allowing] })).toEqual(['fails ACCESS_DENIED p/default'])
})

test('what denies wins, and is named', () => {
  const denying = rule('deny', { name: 'd', to: [{ ...anything, methods: ['GET'] }] })
  expect(asked({ rules: [rule('allow'), denying] })).toEqual(['fails ACCESS_DENIED p/d'])
})

test('what denies a path denies it in another case, and with a slash at its end', () => {
  const denying = rule('deny', {
    name: 'd',
    to: [{ ...anything, paths: [{ kind: 'exact', value: '/private' }] }],
  })
  for (const path of ['/private', '/PRIVATE', '/Private/?x'])
    expect(asked({ rules: [denying] }, { request: { ...get, path } })).toEqual(['fails ACCESS_DENIED p/d'])
  expect(asked({ rules: [denying] }, { request: { ...get, path: '/privateer' } })).toEqual([])
})

test.each(['/%66ail', '//fail', '/x/../fail', '/./fail', '/Fail/'])(
  'a path is read as sidecars read it: %s',
  (path) => {
    const denies = rule('deny', { to: [{ ...anything, paths: [{ kind: 'exact', value: '/fail' }] }] })
    expect(asked({ rules: [denies] }, { request: { ...get, path } })).toEqual(['fails ACCESS_DENIED p/r'])
    expect(asked({ rules: [denies] }, { request: { ...get, path: `/items${path}/../1` } })).toEqual([])
  },
)

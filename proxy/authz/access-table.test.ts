import { describe, expect, test } from 'vitest'
import { readablePath } from '../route/readable-path.ts'
import { type TestRequest, testExchange } from '../test-exchange.ts'
import {
  type AccessRule,
  type AccessRules,
  meshTlsOnly,
  type Permission,
  type Principal,
} from './access-rules.ts'
import { AccessTable } from './access-table.ts'

const td = 'spiffe://cluster.local'
const web = `${td}/ns/shop/sa/web`
const api = `${td}/ns/shop/sa/api`
const other = `${td}/ns/other/sa/web`

const any = { kind: 'any' } as const
const exactly = (value: string): Principal => ({ kind: 'principal', match: { kind: 'exact', value } })
const beginning = (value: string): Principal => ({ kind: 'principal', match: { kind: 'prefix', value } })
const path = (value: string): Permission => ({ kind: 'path', match: { kind: 'exact', value } })
/** As the control plane writes `/x/*`. */
const below = (value: string): Permission => ({
  kind: 'one',
  of: [path(value), { kind: 'path', match: { kind: 'prefix', value: `${value}/` } }],
})
const method = (value: string): Permission => header(':method', value)
const header = (name: string, value: string): Permission => ({
  kind: 'header',
  header: { name, match: { kind: 'exact', value }, invert: false },
})
const rule = (name: string, permission: Permission, principal: Principal = any): AccessRule => ({
  name,
  permission,
  principal,
})

function tableOf(rules: Partial<AccessRules>, port = 8080): AccessTable {
  return new AccessTable({ deny: [], allow: undefined, audit: [], otherwise: 'default', ...rules }, port)
}

/** The decision on a request, as `<action> <rule>`. */
function decided(table: AccessTable, request: TestRequest & { readonly address?: string }): string {
  const { principal, address = '10.0.0.1' } = request
  const x = testExchange(request)
  const peer = table.forPeer({ principal, address })
  const { action, name } = peer.decide(x, table.viewOf(peer, readablePath(x.target)))
  return `${action} ${name}`
}

function decidedConnection(table: AccessTable, principal: string | undefined): string {
  const { action, name } = table.forPeer({ principal, address: '10.0.0.1' }).decideConnection()
  return `${action} ${name}`
}

test('without rules everything is allowed, and nobody in particular says so', () => {
  expect(decided(tableOf({}), { target: '/x' })).toBe('allow default')
})

test('what denies wins over what allows', () => {
  const table = tableOf({ deny: [rule('d', below('/private'))], allow: [rule('a', any, exactly(web))] })
  expect(decided(table, { target: '/private/x', principal: web })).toBe('deny d')
  expect(decided(table, { target: '/public', principal: web })).toBe('allow a')
  expect(decided(table, { target: '/public', principal: api })).toBe('deny default')
})

test('rules name who they mean: one, a namespace, a beginning, an end, an address, nobody of the mesh', () => {
  const table = tableOf({
    allow: [
      rule('1-one', path('/one'), exactly(web)),
      rule('2-namespace', path('/namespace'), beginning(`${td}/ns/shop/sa/`)),
      rule('3-beginning', path('/beginning'), beginning(`${td}/ns/s`)),
      rule('4-end', path('/end'), { kind: 'principal', match: { kind: 'suffix', value: '/sa/web' } }),
      rule('5-range', path('/range'), { kind: 'address', address: '10.0.0.0', prefixLength: 8 }),
      rule('6-clear', path('/clear'), { kind: 'not', of: { kind: 'principal', match: undefined } }),
    ],
  })
  const seen = (target: string): readonly string[] =>
    [web, api, other, undefined].map((principal) => decided(table, { target, principal }).split(' ')[0] ?? '')
  expect(seen('/one')).toEqual(['allow', 'deny', 'deny', 'deny'])
  expect(seen('/namespace')).toEqual(['allow', 'allow', 'deny', 'deny'])
  expect(seen('/beginning')).toEqual(['allow', 'allow', 'deny', 'deny'])
  expect(seen('/end')).toEqual(['allow', 'deny', 'allow', 'deny'])
  expect(seen('/range')).toEqual(['allow', 'allow', 'allow', 'allow'])
  expect(seen('/clear')).toEqual(['deny', 'deny', 'deny', 'allow'])
  expect(decided(table, { target: '/range', address: '192.168.0.1' })).toBe('deny default')
  expect(decided(table, { target: '/range', address: '::1' })).toBe('deny default')
  const everyIpv6 = rule('six', any, { kind: 'address', address: '::', prefixLength: 0 })
  expect(decided(tableOf({ allow: [everyIpv6] }), { address: '10.0.0.1' })).toBe('deny default')
  expect(decided(tableOf({ allow: [everyIpv6] }), { address: '::1' })).toBe('allow six')
})

test('a rule counts on its ports alone, and one for another port is not there', () => {
  const on = (port: number): Permission => ({ kind: 'all', of: [{ kind: 'port', port }, path('/x')] })
  const table = tableOf({ deny: [rule('here', on(8080)), rule('there', on(9090))] })
  expect(decided(table, { target: '/x' })).toBe('deny here')
  expect(decided(tableOf({ deny: [rule('there', on(9090))] }), { target: '/x' })).toBe('allow default')
  const notHere: Permission = { kind: 'not', of: { kind: 'port', port: 8080 } }
  expect(decided(tableOf({ deny: [rule('elsewhere', notHere)] }), {})).toBe('allow default')
})

test('all parts of a rule have to match, and one of each list', () => {
  const permission: Permission = {
    kind: 'all',
    of: [below('/items'), { kind: 'one', of: [method('GET'), method('HEAD')] }, header('x-tenant', 'a')],
  }
  const table = tableOf({ allow: [rule('r', permission, exactly(web))] })
  const asked = (request: TestRequest): string =>
    decided(table, { target: '/items/1', principal: web, headers: { 'x-tenant': 'a' }, ...request })
  expect(asked({})).toBe('allow r')
  expect(asked({ method: 'HEAD' })).toBe('allow r')
  for (const change of [
    { method: 'POST' },
    { target: '/itemsx' },
    { headers: {} },
    { headers: { 'x-tenant': 'b' } },
    { principal: api },
  ])
    expect(asked(change)).toBe('deny default')
})

test('the first of several rules in the order of the list gives its name', () => {
  const rules = [rule('a', below('/x')), rule('b', any, exactly(web)), rule('c', path('/x'))]
  expect(decided(tableOf({ allow: rules }), { target: '/x', principal: web })).toBe('allow a')
  expect(decided(tableOf({ allow: rules.toReversed() }), { target: '/x', principal: web })).toBe('allow c')
})

test('what takes everything gives its name only where no other rule does', () => {
  const table = tableOf({ allow: [rule('everything', any), rule('z', path('/x'))] })
  expect(decided(table, { target: '/x' })).toBe('allow z')
  expect(decided(table, { target: '/y' })).toBe('allow everything')
})

test('what denies takes a path broadly, what allows takes it literally', () => {
  const deny = tableOf({ deny: [rule('d', below('/private'))] })
  for (const target of ['/PRIVATE', '/private/', '/private;x', '/private;x/y', '/Private/a'])
    expect(decided(deny, { target })).toBe('deny d')
  expect(decided(deny, { target: '/privateer' })).toBe('allow default')
  const allow = tableOf({ allow: [rule('a', path('/public'))] })
  for (const target of ['/PUBLIC', '/public/', '/public;x'])
    expect(decided(allow, { target })).toBe('deny default')
  const butPublic: Permission = { kind: 'not', of: below('/public') }
  expect(decided(tableOf({ deny: [rule('d', butPublic)] }), { target: '/PUBLIC' })).toBe('deny d')
})

test('what denies looks at each of several values of a field, what allows at all of them', () => {
  const permission = header('x-role', 'admin')
  const deny = tableOf({ deny: [rule('d', permission)] })
  const allow = tableOf({ allow: [rule('a', permission)] })
  for (const value of ['user, admin', 'admin,user', 'ADMIN']) {
    expect(decided(deny, { headers: { 'x-role': value } })).toBe('deny d')
    expect(decided(allow, { headers: { 'x-role': value } })).toBe('deny default')
  }
  expect(decided(deny, { headers: { 'x-role': 'administrator' } })).toBe('allow default')
})

test('of a connection whose requests nobody sees, what denies some of them denies all, and what allows some none', () => {
  const deny = tableOf({ deny: [rule('d', below('/private'), exactly(web))] })
  expect(decidedConnection(deny, web)).toBe('deny d')
  expect(decidedConnection(deny, api)).toBe('allow default')
  const allow = tableOf({ allow: [rule('some', below('/public')), rule('all', any, exactly(web))] })
  expect(decidedConnection(allow, web)).toBe('allow all')
  expect(decidedConnection(allow, api)).toBe('deny default')
})

test('mesh TLS only: whoever has proven nothing gets nowhere', () => {
  const table = new AccessTable(meshTlsOnly, 8080)
  expect(table.refusesClear).toBe(true)
  expect(decided(table, {})).toBe('deny mtls')
  expect(decidedConnection(table, undefined)).toBe('deny mtls')
  expect(decided(table, { principal: web })).toBe('allow default')
  expect(tableOf({ deny: [rule('d', path('/x'))] }).refusesClear).toBe(false)
})

test('paths are read only where a rule asks for one', () => {
  expect(tableOf({ deny: [rule('d', method('POST'))] }).readsPaths).toBe(false)
  expect(tableOf({ audit: [rule('d', below('/x'))] }).readsPaths).toBe(true)
})

test('of thousands of rules a request meets those alone that could be meant', () => {
  let asked = 0
  const counting = (i: number): Permission => ({
    kind: 'all',
    of: [below(`/p${i}`), { kind: 'not', of: { kind: 'not', of: any } }],
  })
  const allow = Array.from({ length: 2000 }, (_, i) => {
    const principal = i % 2 === 0 ? exactly(`${td}/ns/shop/sa/a${i}`) : any
    return rule(`r${i}`, counting(i), principal)
  })
  const table = tableOf({ allow })
  const peer = table.forPeer({ principal: `${td}/ns/shop/sa/a4`, address: '' })
  peer.isMeantBy = () => {
    asked++
    return true
  }
  for (const target of ['/p4/x', '/p5/x', '/p6/x']) {
    const x = testExchange({ target })
    peer.decide(x, table.viewOf(peer, readablePath(target)))
  }
  expect(asked).toBe(2)
})

describe('what denies by a field', () => {
  const deny = (permission: Permission): AccessTable => tableOf({ deny: [rule('d', permission)] })

  test.each<[string, Readonly<Record<string, string>>]>([
    ['in another case', { 'X-Debug': 'YES' }],
    ['one of a list', { 'x-debug': 'no, yes' }],
    ['as CGI writes the name', { x_debug: 'yes' }],
  ])('sees it %s', (_, headers) => {
    expect(decided(deny(header('x-debug', 'yes')), { headers })).toBe('deny d')
  })

  test('sees each of several lines, in whatever spelling', () => {
    const x = testExchange({ headers: { 'x-debug': 'no' } })
    x.headers.append('X_Debug', 'yes')
    const table = deny(header('x-debug', 'yes'))
    const peer = table.forPeer({ principal: undefined, address: '10.0.0.1' })
    expect(peer.decide(x, table.viewOf(peer, readablePath('/'))).action).toBe('deny')
  })

  test.each(['admin.test', 'ADMIN.test', 'admin.test:8080', 'admin.test.', 'admin.test.:80'])(
    'sees the host in %s',
    (authority) => {
      for (const name of ['host', ':authority'])
        expect(decided(deny(header(name, 'admin.test')), { authority })).toBe('deny d')
    },
  )

  test('does not see what is not there', () => {
    for (const headers of [{}, { 'x-debug': 'no' }, { 'x-debug2': 'yes' }, { 'x.debug': 'yes' }])
      expect(decided(deny(header('x-debug', 'yes')), { headers })).toBe('allow default')
  })
})

test('what allows by a field takes it literally: once, and as it is written', () => {
  const table = tableOf({ allow: [rule('a', header('x-role', 'admin'))] })
  expect(decided(table, { headers: { 'X-Role': 'admin' } })).toBe('allow a')
  for (const headers of [{ 'x-role': 'ADMIN' }, { 'x-role': 'user, admin' }, { x_role: 'admin' }])
    expect(decided(table, { headers })).toBe('deny default')
})

test('a method that a field overrides is denied if one of the two is, and allowed if both are', () => {
  const override = (value: string, name = 'X-HTTP-Method-Override'): TestRequest => ({
    method: 'POST',
    headers: { [name]: value },
  })
  const deny = tableOf({ deny: [rule('d', method('DELETE'))] })
  expect(decided(deny, override('DELETE'))).toBe('deny d')
  expect(decided(deny, override('delete', 'x_method_override'))).toBe('deny d')
  expect(decided(deny, override('PUT'))).toBe('allow default')
  // Frameworks look at it in a POST alone.
  expect(decided(deny, { ...override('DELETE'), method: 'GET' })).toBe('allow default')
  const allow = tableOf({ allow: [rule('a', { kind: 'one', of: [method('POST'), method('PUT')] })] })
  expect(decided(allow, override('PUT'))).toBe('allow a')
  expect(decided(allow, override('DELETE'))).toBe('deny default')
})

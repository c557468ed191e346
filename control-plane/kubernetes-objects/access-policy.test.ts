import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { parseFile } from '../providers/directory/parse-file.ts'
import { convertObject } from './convert.ts'
import { formatPath } from './field-reader.ts'

const valid = {
  targetRefs: [{ kind: 'Service', name: 'web', port: 8080 }],
  mtls: { mode: 'strict', ports: [{ port: 9090, mode: 'permissive' }] },
  default: 'deny',
  rules: [
    {
      name: 'readers',
      action: 'allow',
      from: [
        {
          principals: ['spiffe://cluster.local/ns/shop/sa/*', '*/sa/web', '*'],
          serviceAccounts: ['web', 'other/api'],
          namespaces: ['shop'],
          cidrs: ['10.0.0.0/8', '::1'],
        },
      ],
      to: [
        {
          ports: [8080],
          paths: ['/exact', '/below/*', '*'],
          methods: ['GET'],
          headers: [{ name: 'X-Tenant', value: 'a' }],
        },
      ],
    },
  ],
}

function convert(spec: object, namespace = 'shop') {
  return convertObject({
    apiVersion: 'weft.dev/v1alpha1',
    kind: 'AccessPolicy',
    metadata: { name: 'p', namespace },
    spec,
  })
}

function problems(spec: object, namespace?: string): readonly string[] {
  const converted = convert(spec, namespace)
  return converted.outcome === 'refused' ? converted.problems.map(({ path }) => formatPath(path)) : []
}

test('every field is read', () => {
  expect(convert(valid)).toMatchObject({
    outcome: 'converted',
    change: {
      kind: 'accessPolicy',
      key: 'shop/p',
      value: {
        targets: [{ kind: 'service', name: 'web', port: { number: 8080 } }],
        mtls: 'strict',
        mtlsOfPorts: [{ port: 9090, mode: 'permissive' }],
        verdict: 'deny',
        rules: [
          {
            name: 'readers',
            action: 'allow',
            from: [
              {
                principals: ['spiffe://cluster.local/ns/shop/sa/*', '*/sa/web', '*'],
                serviceAccounts: [
                  { namespace: 'shop', name: 'web' },
                  { namespace: 'other', name: 'api' },
                ],
                namespaces: ['shop'],
                cidrs: [
                  { address: '10.0.0.0', prefixLength: 8 },
                  { address: '::1', prefixLength: 128 },
                ],
              },
            ],
            to: [
              {
                ports: [8080],
                paths: [
                  { kind: 'exact', value: '/exact' },
                  { kind: 'below', value: '/below' },
                  { kind: 'below', value: '/' },
                ],
                methods: ['GET'],
                headers: [{ name: 'x-tenant', value: 'a', regex: false }],
              },
            ],
          },
        ],
      },
    },
  })
})

test('every kind of target is read', () => {
  const targetRefs = [
    { kind: 'Mesh' },
    { kind: 'Namespace', name: 'weft' },
    { kind: 'ServiceAccount', name: 'web' },
    { kind: 'Pod', matchLabels: { app: 'web' } },
  ]
  expect(convert({ targetRefs, default: 'deny' }, 'weft')).toMatchObject({
    change: {
      value: {
        targets: [
          { kind: 'mesh' },
          { kind: 'namespace' },
          { kind: 'serviceAccount', name: 'web' },
          { kind: 'pods', labels: { app: 'web' } },
        ],
      },
    },
  })
})

const rule = (facts: object): object => ({ ...valid, rules: [{ action: 'deny', ...facts }] })

test.each<[string, object, string]>([
  ['no target', { default: 'deny' }, 'spec.targetRefs'],
  ['nothing to say', { targetRefs: valid.targetRefs }, 'spec'],
  ['a field that is not known', { ...valid, defualt: 'deny' }, 'spec.defualt'],
  ['the mesh, from elsewhere', { ...valid, targetRefs: [{ kind: 'Mesh' }] }, 'spec.targetRefs[0].kind'],
  [
    'the namespace of others',
    { ...valid, targetRefs: [{ kind: 'Namespace', name: 'x' }] },
    'spec.targetRefs[0].name',
  ],
  ['pods without labels', { ...valid, targetRefs: [{ kind: 'Pod' }] }, 'spec.targetRefs[0].matchLabels'],
  ['a mode that there is not', { ...valid, mtls: { mode: 'on' } }, 'spec.mtls.mode'],
  ['a rule without an action', { ...valid, rules: [{}] }, 'spec.rules[0].action'],
  ['a rule named after the default', rule({ name: 'default' }), 'spec.rules[0].name'],
  ['a source that is nobody', rule({ from: [{}] }), 'spec.rules[0].from[0]'],
  ['a source of empty lists', rule({ from: [{ principals: [] }] }), 'spec.rules[0].from[0]'],
  ['an operation that is nothing', rule({ to: [{ paths: [] }] }), 'spec.rules[0].to[0]'],
  ['a star in the middle', rule({ from: [{ principals: ['a*b'] }] }), 'spec.rules[0].from[0].principals[0]'],
  [
    'a range that is too long',
    rule({ from: [{ cidrs: ['10.0.0.0/33'] }] }),
    'spec.rules[0].from[0].cidrs[0]',
  ],
  ['a path without its slash', rule({ to: [{ paths: ['x'] }] }), 'spec.rules[0].to[0].paths[0]'],
  ['an encoded path', rule({ to: [{ paths: ['/a%20b'] }] }), 'spec.rules[0].to[0].paths[0]'],
  ['a path with dot segments', rule({ to: [{ paths: ['/a/../b'] }] }), 'spec.rules[0].to[0].paths[0]'],
  ['a star within a path', rule({ to: [{ paths: ['/a*'] }] }), 'spec.rules[0].to[0].paths[0]'],
  ['a method in small letters', rule({ to: [{ methods: ['get'] }] }), 'spec.rules[0].to[0].methods[0]'],
])('%s is refused, by its path', (_, spec, path) => {
  expect(problems(spec)).toContain(path)
})

test('two rules of one name are refused', () => {
  const same = { name: 'a', action: 'deny' }
  expect(problems({ ...valid, rules: [same, same] })).toEqual(['spec.rules[1].name'])
})

const examples = path.join(import.meta.dirname, '../../docs/examples/access')

test.each(readdirSync(examples))('the example %s is read without a word', (file) => {
  const { problems, objects } = parseFile(file, readFileSync(path.join(examples, file), 'utf8'))
  expect([problems, objects.length]).toEqual([[], 1])
})

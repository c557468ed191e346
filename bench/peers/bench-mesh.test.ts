import { expect, test } from 'vitest'
import { parseFile } from '../../control-plane/providers/directory/parse-file.ts'
import { benchMeshYaml } from './bench-mesh.ts'

const mesh = {
  endpointPort: 8081,
  inbound: undefined,
  protocol: 'http1',
  routes: 1,
  rules: 0,
  rollout: false,
} as const

test.each([
  ['one proxy', mesh],
  ['a pair', { ...mesh, inbound: { applicationPort: 8082 } }],
  ['HTTP/2', { ...mesh, protocol: 'http2' as const }],
  ['many routes', { ...mesh, routes: 1000 }],
  ['rules of access', { ...mesh, rules: 100 }],
  ['rules that no index finds', { ...mesh, rules: 100, ruleKind: 'unindexed' as const }],
  ['a rollout', { ...mesh, rollout: true }],
])('the control plane takes the mesh of %s without a word', (_what, given) => {
  const { problems, objects } = parseFile('mesh.yaml', benchMeshYaml(given))
  expect(problems).toEqual([])
  expect(objects.length).toBeGreaterThan(5)
})

test('the rule that the request meets is the last of as many as are asked for', () => {
  const yaml = benchMeshYaml({ ...mesh, routes: 100 })
  expect(yaml.match(/PathPrefix/g)).toHaveLength(100)
  expect(yaml.trimEnd().slice(yaml.lastIndexOf('PathPrefix'))).toContain('value: /\n')
})

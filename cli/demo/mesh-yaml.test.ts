import { expect, test } from 'vitest'
import { splitYaml, weightsIn } from './mesh-yaml.ts'

test.each([
  ['what the demo wrote', splitYaml({ v1: 70, v2: 30 }), { v1: 70, v2: 30 }],
  ['one backend', 'spec: {backends: [{service: catalog-v2, weight: 1}]}', { v1: 0, v2: 1 }],
  ['weights in quotes', 'spec: {backends: [{service: catalog-v1, weight: "9"}]}', { v1: 9, v2: 0 }],
  ['no YAML', 'spec: [', undefined],
  ['an empty file', '', undefined],
  ['weights that are none', 'spec: {backends: [{service: catalog-v1, weight: many}]}', undefined],
])('the weights are read from %s', (_name, yaml, weights) => {
  expect(weightsIn(yaml)).toEqual(weights)
})

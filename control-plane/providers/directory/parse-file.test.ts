import { describe, expect, test } from 'vitest'
import { parseFile } from './parse-file.ts'

const split = (version: string, weight: string): string =>
  `apiVersion: split.smi-spec.io/${version}\nkind: TrafficSplit\nmetadata: {name: s, namespace: shop}\nspec:\n  service: catalog\n  backends:\n    - service: v1\n      weight: ${weight}\n`

function weightOf(text: string): number | undefined {
  const change = parseFile('f.yaml', text).objects[0]?.change
  return change?.kind === 'split' ? change.value?.backends[0]?.weightMilli : undefined
}

describe('weights of all versions', () => {
  test.each([
    ['v1alpha1', '500m', 500],
    ['v1alpha1', '"1"', 1000],
    ['v1alpha1', '1500m', 1500],
    ['v1alpha2', '90', 90_000],
    ['v1alpha3', '0', 0],
    ['v1alpha4', '"10"', 10_000],
  ])('%s %s', (version, weight, milli) => {
    expect(weightOf(split(version, weight))).toBe(milli)
  })
})

describe('what is wrong is named with file, line and field', () => {
  test('a negative weight', () => {
    expect(parseFile('shop/split.yaml', split('v1alpha2', '-1')).problems).toEqual([
      {
        code: 'RESOURCE_INVALID',
        text: expect.stringMatching(
          /^shop\/split\.yaml:8 TrafficSplit shop\/s spec\.backends\[0\]\.weight: must be a weight/,
        ) as string,
      },
    ])
  })
  test('every problem of an object at once', () => {
    const text =
      'apiVersion: v1\nkind: Service\nmetadata: {name: Bad_Name}\nspec: {ports: [{port: 70000}, {name: x}]}\n'
    const fields = parseFile('a.yaml', text).problems.map(({ text: problem }) =>
      problem.replace(/^\S+ \S+ \S+ (\S+): .*/, '$1'),
    )
    expect(fields).toEqual(
      ['metadata.name', 'spec.ports[0].port', 'spec.ports[1].port', 'spec.ports'].filter((field) =>
        fields.includes(field),
      ),
    )
    expect(fields).toContain('metadata.name')
    expect(fields).toContain('spec.ports[1].port')
  })
  test('YAML that is none', () => {
    const [problem] = parseFile('a.yaml', 'kind: [\n').problems
    expect(problem?.code).toBe('YAML_INVALID')
    expect(problem?.text).toMatch(/^a\.yaml:\d+:\d+ /)
  })
  test('an alias that leads to nothing', () => {
    expect(parseFile('a.yaml', 'kind: Service\nmetadata: {name: *who}\n').problems).toEqual([
      { code: 'YAML_INVALID', text: expect.stringMatching(/^a\.yaml:2:18 Unresolved alias .*who$/) },
    ])
  })

  test('aliases that stand for more than there is room for', () => {
    const tenTimes = (name: string, of: string) => `${name}: &${name} [${Array(10).fill(of).join(', ')}]\n`
    const text = ['a', 'b', 'c', 'd'].map((name, i, all) => tenTimes(name, i === 0 ? 'x' : `*${all[i - 1]}`))
    expect(parseFile('a.yaml', text.join('')).problems).toEqual([
      { code: 'YAML_INVALID', text: expect.stringMatching(/^a\.yaml:1:1 Excessive alias count/) },
    ])
  })

  test('a version that does not exist', () => {
    expect(parseFile('a.yaml', split('v9', '1')).problems[0]?.text).toContain(
      'apiVersion: must be one of split.smi-spec.io/v1alpha1',
    )
  })
})

test('kinds that the mesh does not read are ignored, also inside a List', () => {
  const parsed = parseFile(
    'a.yaml',
    'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: x}}\n- {apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n',
  )
  expect(parsed.ignoredKinds).toEqual(['ConfigMap'])
  expect(parsed.objects.map((object) => object.identity)).toEqual(['Namespace shop'])
})

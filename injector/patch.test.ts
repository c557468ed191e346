import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inject } from './inject.ts'
import { escapePointer, jsonPatch } from './patch.ts'
import type { Pod } from './pod.ts'
import { readPod } from './read-pod.ts'
import { applyPatch } from './test-apply-patch.ts'
import { enabled, testPlan } from './test-plan.ts'
import { workloadOfPod } from './workload.ts'

const pod = (more: object = {}): Pod => ({ spec: { containers: [{ name: 'web' }], ...more } })

function injected(before: Pod): Pod {
  const injection = inject(before, enabled, testPlan, workloadOfPod(before.metadata))
  if (injection.kind !== 'injected') throw new Error(injection.reason)
  return injection.pod
}

test('the tilde is escaped before the slash', () => {
  expect(escapePointer('a/b~1c')).toBe('a~1b~01c')
})

test('a parent that is absent is added with what is in it', () => {
  const before = pod()
  const patch = jsonPatch(before, injected(before))
  expect(patch.map(({ op, path }) => `${op} ${path}`)).toEqual([
    'add /spec/initContainers',
    'add /spec/volumes',
    'add /metadata',
  ])
})

test('a map that is there is never added as a whole, which would empty it', () => {
  const before: Pod = { ...pod(), metadata: { annotations: { 'a/b~c': '1' }, labels: { app: 'web' } } }
  const patch = jsonPatch(before, injected(before))
  expect(patch.map(({ path }) => path)).toContain('/metadata/annotations/weft.dev~1trust-bundle')
  expect(patch.map(({ path }) => path)).not.toContain('/metadata/annotations')
  expect(patch.map(({ path }) => path)).not.toContain('/metadata/labels')
  const after = applyPatch(before, patch) as Pod
  expect(after.metadata?.annotations).toMatchObject({ 'a/b~c': '1' })
  expect(after.metadata?.labels).toMatchObject({ app: 'web', 'weft.dev/injected': 'true' })
})

test('lists that are there get entries at their places, and keep their own', () => {
  const before = pod({ initContainers: [{ name: 'migrate' }], volumes: [{ name: 'data' }] })
  const patch = jsonPatch(before, injected(before))
  expect(patch.filter(({ path }) => path.startsWith('/spec')).map(({ op, path }) => `${op} ${path}`)).toEqual(
    [
      'add /spec/initContainers/0',
      'add /spec/initContainers/1',
      'add /spec/volumes/1',
      'add /spec/volumes/2',
    ],
  )
})

test('lists that are null are replaced', () => {
  const before = pod({ initContainers: null, volumes: null })
  expect(applyPatch(before, jsonPatch(before, injected(before)))).toEqual(injected(before))
})

const name = fc.stringMatching(/^[a-z]([a-z0-9-]{0,8}[a-z0-9])?$/).filter((text) => !text.startsWith('weft'))
const absent = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const strings = fc.dictionary(
  fc.oneof(fc.string(), fc.constantFrom('__proto__', 'a/b', 'a~b', 'config.example/x', 'constructor')),
  fc.string(),
  { maxKeys: 4 },
)
const port = fc.oneof(fc.integer({ min: 1, max: 4_000 }), fc.constantFrom('http', 'rpc'))
const handler = fc.oneof(
  fc.record({
    httpGet: fc.record({ port, path: fc.string(), host: absent(fc.constantFrom('', 'example.org')) }),
  }),
  fc.record({ tcpSocket: fc.record({ port }) }),
  fc.record({ grpc: fc.record({ port: fc.integer({ min: 1, max: 65_535 }), service: absent(fc.string()) }) }),
  fc.record({ exec: fc.record({ command: fc.array(fc.string(), { maxLength: 2 }) }) }),
)
const probe = fc
  .tuple(handler, fc.record({ timeoutSeconds: absent(fc.integer({ min: 1, max: 60 })) }))
  .map(([asked, rest]) => ({ ...asked, ...rest }))
const container = fc.record({
  name,
  image: absent(fc.string()),
  ports: absent(fc.constantFrom([{ name: 'http', containerPort: 8080 }], [])),
  livenessProbe: absent(probe),
  readinessProbe: absent(fc.option(probe)),
  startupProbe: absent(probe),
  lifecycle: absent(fc.record({ postStart: absent(handler), preStop: absent(handler) })),
  env: absent(fc.array(fc.record({ name, value: fc.string() }), { maxLength: 3 })),
})
const containers = (minLength: number) =>
  fc.uniqueArray(container, { minLength, maxLength: 3, selector: (entry) => entry.name })
const pods = fc.record({
  apiVersion: fc.constant('v1'),
  metadata: absent(
    fc.record({
      name: absent(name),
      labels: absent(fc.option(strings)),
      annotations: absent(fc.option(strings)),
    }),
  ),
  spec: fc.record({
    containers: containers(1),
    initContainers: absent(fc.option(containers(0))),
    volumes: absent(fc.option(fc.uniqueArray(fc.record({ name }), { selector: (entry) => entry.name }))),
    other: fc.jsonValue(),
  }),
})

test('applied to any pod, the patch gives the pod with its sidecar, and a second one is empty', () => {
  fc.assert(
    fc.property(pods, fc.boolean(), (generated, native) => {
      const before = JSON.parse(JSON.stringify(generated)) as Pod
      const namespace = {
        ...enabled,
        annotations: { ...enabled.annotations, 'config.weft.dev/native-sidecar': String(native) },
      }
      expect(readPod(before).ok).toBe(true)
      const injection = inject(before, namespace, testPlan, workloadOfPod(before.metadata))
      if (injection.kind !== 'injected') throw new Error(injection.reason)
      const after = applyPatch(before, jsonPatch(before, injection.pod)) as Pod
      expect(after).toEqual(JSON.parse(JSON.stringify(injection.pod)))
      expect(jsonPatch(after, injection.pod)).toEqual([])
      expect(inject(after, namespace, testPlan, workloadOfPod(after.metadata)).kind).toBe('skip')
    }),
    { numRuns: 300 },
  )
})

test('applied to any JSON, the patch to any other gives that other', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (before, after) => {
      expect(applyPatch(before, jsonPatch(before, after))).toEqual(JSON.parse(JSON.stringify(after)))
    }),
  )
})

import { describe, expect, test } from 'vitest'
import { inject, type Injection } from './inject.ts'
import type { Container, Pod } from './pod.ts'
import { readPod } from './read-pod.ts'
import { enabled, silent, testPlan } from './test-plan.ts'
import { workloadOfPod, workloadOfTemplate } from './workload.ts'

type Parts = {
  readonly annotations?: Record<string, string>
  readonly labels?: Record<string, string>
  readonly spec?: object
  readonly container?: object
}

function pod({ annotations, labels, spec, container }: Parts = {}): Pod {
  return {
    metadata: { ...(annotations && { annotations }), ...(labels && { labels }) },
    spec: { containers: [{ name: 'web', ...container }], ...spec },
  }
}

const run = (given: Pod, namespace = enabled): Injection =>
  inject(given, namespace, testPlan, workloadOfPod(given.metadata))

function podOf(injection: Injection): Pod {
  if (injection.kind !== 'injected') throw new Error(injection.reason)
  return injection.pod
}

function sidecar(injection: Injection): Container {
  const { containers, initContainers } = podOf(injection).spec
  const found = [...containers, ...(initContainers ?? [])].find(({ name }) => name === 'weft-proxy')
  return found as Container
}

const inNamespace = (value: string) => ({ annotations: { 'weft.dev/inject': value }, labels: {} })

describe('who gets a sidecar', () => {
  const on = { 'weft.dev/inject': 'enabled' }
  const off = { 'weft.dev/inject': 'disabled' }

  test('nobody who does not ask', () => {
    expect(run(pod(), silent)).toMatchObject({ kind: 'skip', warn: false })
  })

  test('pods of a namespace that asks, by annotation or by label', () => {
    expect(run(pod(), enabled).kind).toBe('injected')
    expect(run(pod(), { annotations: {}, labels: on }).kind).toBe('injected')
  })

  test('a pod wins over its namespace, either way, by annotation or by label', () => {
    expect(run(pod({ annotations: off })).kind).toBe('skip')
    expect(run(pod({ labels: off })).kind).toBe('skip')
    expect(run(pod({ annotations: on }), inNamespace('disabled')).kind).toBe('injected')
    expect(run(pod({ labels: on }), silent).kind).toBe('injected')
  })

  test('an annotation wins over a label', () => {
    expect(run(pod({ annotations: off, labels: on })).kind).toBe('skip')
    expect(run(pod(), { annotations: off, labels: on }).kind).toBe('skip')
  })

  test('a value that is neither is refused, and said', () => {
    expect(run(pod({ annotations: { 'weft.dev/inject': 'true' } }))).toEqual({
      kind: 'refuse',
      reason: "weft.dev/inject of the pod is 'true', not 'enabled' or 'disabled'",
    })
  })

  test('not a pod on the network of its node, on Windows, or static; and it is told why', () => {
    for (const given of [
      pod({ spec: { hostNetwork: true } }),
      pod({ spec: { os: { name: 'windows' } } }),
      pod({ spec: { nodeSelector: { 'kubernetes.io/os': 'windows' } } }),
      pod({ annotations: { 'kubernetes.io/config.mirror': 'x' } }),
    ])
      expect(run(given)).toMatchObject({ kind: 'skip', warn: true })
  })

  test('not a second one, wherever the first stands', () => {
    expect(run(podOf(run(pod()))).kind).toBe('skip')
    const ordinary = pod({ annotations: { 'config.weft.dev/native-sidecar': 'false' } })
    expect(run(podOf(run(ordinary))).kind).toBe('skip')
  })

  test('a pod copied with our annotations and without our container gets one', () => {
    const copied = podOf(run(pod())).metadata
    expect(run({ ...pod(), ...(copied && { metadata: copied }) }).kind).toBe('injected')
  })
})

test('a copy that has lost its annotations gets those that its sidecar needs, and nothing else', () => {
  const original = podOf(run(pod()))
  const copy = { ...original, metadata: { name: 'copy' } }
  const injection = run(copy, silent)
  expect(podOf(injection).spec).toEqual(original.spec)
  expect(podOf(injection).metadata).toEqual({ ...original.metadata, name: 'copy' })
  expect(run(podOf(injection), silent).kind).toBe('skip')
})

describe('what would bypass the mesh or break is refused with what to do', () => {
  const reason = (injection: Injection) => (injection.kind === 'refuse' ? injection.reason : injection.kind)

  test("a container that runs as the sidecar's user, its own or the pod's", () => {
    expect(reason(run(pod({ spec: { securityContext: { runAsUser: 2102 } } })))).toContain('as user 2102')
    expect(reason(run(pod({ container: { securityContext: { runAsUser: 2102 } } })))).toContain(
      'as user 2102',
    )
    const init = { initContainers: [{ name: 'setup', securityContext: { runAsUser: 2102 } }] }
    expect(reason(run(pod({ spec: init })))).toContain("container 'setup'")
  })

  test("but not one that overrides the pod's user, or when the sidecar has another", () => {
    const overridden = pod({
      spec: { securityContext: { runAsUser: 2102 } },
      container: { securityContext: { runAsUser: 1000 } },
    })
    expect(run(overridden).kind).toBe('injected')
    const moved = pod({
      annotations: { 'config.weft.dev/proxy-uid': '3000' },
      spec: { securityContext: { runAsUser: 2102 } },
    })
    expect(sidecar(run(moved)).securityContext?.runAsUser).toBe(3000)
  })

  test("a container on one of the sidecar's ports", () => {
    expect(reason(run(pod({ container: { ports: [{ containerPort: 4143 }] } })))).toContain('port 4143')
    const udp = { ports: [{ containerPort: 4143, protocol: 'UDP' }] }
    expect(run(pod({ container: udp })).kind).toBe('injected')
  })

  test("a container with the name of one of the sidecar's", () => {
    expect(reason(run(pod({ spec: { initContainers: [{ name: 'weft-init' }] } })))).toContain('weft-init')
  })

  test("a volume with the name of one of the sidecar's", () => {
    expect(reason(run(pod({ spec: { volumes: [{ name: 'weft-identity' }] } })))).toContain('weft-identity')
  })
})

describe('annotations', () => {
  const refused = (annotations: Record<string, string>) => {
    const injection = run(pod({ annotations }))
    return injection.kind === 'refuse' ? injection.reason : injection.kind
  }

  test('that do not read are refused, all at once, by their names', () => {
    expect(
      refused({
        'config.weft.dev/proxy-log-level': 'loud',
        'config.weft.dev/proxy-cpu-limit': '1 core',
        'config.weft.dev/skip-inbound-ports': 'http',
      }),
    ).toMatch(/config\.weft\.dev\/proxy-log-level.*config\.weft\.dev\/skip-inbound-ports/)
    expect(refused({ 'config.weft.dev/proxy-cpu-limit': '1 core' })).toContain('proxy-cpu-limit')
    expect(refused({ 'config.weft.dev/inbound-port': '0' })).toContain('port')
    expect(refused({ 'config.weft.dev/inbound-port': '4140' })).toContain('the same')
  })

  test('cannot make the sidecar root, choose its image, or slip in a flag or a variable', () => {
    expect(refused({ 'config.weft.dev/proxy-uid': '0' })).toContain('proxy-uid')
    expect(refused({ 'config.weft.dev/skip-subnets': '10.0.0.0/8 --proxy-uid=0' })).toContain('skip-subnets')
    const image = run(pod({ annotations: { 'config.weft.dev/proxy-image': 'evil' } }))
    expect(sidecar(image)).toMatchObject({ image: testPlan.image })
    const url = 'http://zipkin:9411/$(WEFT_POD)'
    const traced = sidecar(run(pod({ annotations: { 'config.weft.dev/zipkin-url': url } })))
    expect(traced['args']).toContain('--zipkin-url=http://zipkin:9411/$$(WEFT_POD)')
  })

  test('that are not known are told, as they may be misspelt', () => {
    const injection = run(pod({ annotations: { 'config.weft.dev/acces-log': 'json' } }))
    expect(injection).toMatchObject({
      warnings: ['annotation config.weft.dev/acces-log is not known to weft'],
    })
  })

  test('of the namespace count where the pod has none', () => {
    const namespace = {
      annotations: {
        'weft.dev/inject': 'enabled',
        'config.weft.dev/access-log': 'json',
        'config.weft.dev/proxy-log-level': 'warn',
      },
      labels: {},
    }
    const given = pod({ annotations: { 'config.weft.dev/proxy-log-level': 'debug' } })
    expect(sidecar(run(given, namespace))['args']).toEqual(
      expect.arrayContaining(['--access-log=json', '--log-level=debug']),
    )
  })

  test('move its ports, in both of its containers and in the probes', () => {
    const given = pod({
      annotations: { 'config.weft.dev/admin-port': '5000', 'config.weft.dev/inbound-port': '5001' },
      container: { livenessProbe: { tcpSocket: { port: 80 } } },
    })
    const { initContainers, containers } = podOf(run(given)).spec
    expect(initContainers?.[0]?.['args']).toEqual(
      expect.arrayContaining(['--admin-port=5000', '--inbound-port=5001']),
    )
    expect(initContainers?.[1]?.['args']).toEqual(
      expect.arrayContaining(['--admin-address=[::]:5000', '--inbound-address=[::]:5001']),
    )
    expect(containers[0]?.livenessProbe).toEqual({
      httpGet: { path: '/probe/web/livenessProbe', port: 5000 },
    })
  })

  test('a limit is not undercut by a request of ours', () => {
    const given = pod({ annotations: { 'config.weft.dev/proxy-memory-limit': '32Mi' } })
    expect(sidecar(run(given))['resources']).toEqual({ requests: { cpu: '10m' }, limits: { memory: '32Mi' } })
  })

  test("limits of the sidecar are its init container's, as a quota counts both", () => {
    const injection = run(pod({ annotations: { 'config.weft.dev/proxy-memory-limit': '96Mi' } }))
    const [init, proxy] = podOf(injection).spec.initContainers ?? []
    expect(init?.['resources']).toEqual({ requests: { cpu: '10m' }, limits: { memory: '96Mi' } })
    expect(init?.['resources']).toEqual(proxy?.['resources'])
  })

  test('nothing of ours is asked for beyond what the pod asks for as a whole', () => {
    const given = pod({ spec: { resources: { requests: { memory: '64Mi' } } } })
    expect(sidecar(run(given))['resources']).toEqual({ requests: { cpu: '10m' } })
  })
})

describe('where the sidecar stands', () => {
  const names = (list: readonly Container[] | null | undefined) => list?.map(({ name }) => name)
  const own = { initContainers: [{ name: 'migrate' }] }

  test('natively: after redirection and before the init containers of the pod', () => {
    const { spec } = podOf(run(pod({ spec: own })))
    expect(names(spec.initContainers)).toEqual(['weft-init', 'weft-proxy', 'migrate'])
    expect(names(spec.containers)).toEqual(['web'])
  })

  test('ordinarily: first of the containers, redirection after all init containers, which it cannot serve', () => {
    const annotations = { 'config.weft.dev/native-sidecar': 'false' }
    const { spec } = podOf(run(pod({ annotations, spec: own })))
    expect(names(spec.initContainers)).toEqual(['migrate', 'weft-init'])
    expect(names(spec.containers)).toEqual(['weft-proxy', 'web'])
  })

  test('with a CNI plugin: nothing in the pod has rights', () => {
    const { spec } = podOf(run(pod({ annotations: { 'config.weft.dev/interception': 'cni' } })))
    expect(names(spec.initContainers)).toEqual(['weft-proxy'])
    expect(JSON.stringify(spec)).not.toContain('NET_ADMIN')
  })

  test('an ordinary one in a pod that is to complete is warned of', () => {
    const annotations = { 'config.weft.dev/native-sidecar': 'false' }
    const injection = run(pod({ annotations, spec: { restartPolicy: 'Never' } }))
    expect(injection).toMatchObject({ warnings: [expect.stringContaining('will not complete')] })
  })
})

describe('what the metrics name', () => {
  const owned = (kind: string, name: string, labels?: Record<string, string>): Pod => ({
    ...pod(),
    metadata: { ownerReferences: [{ kind, name }], ...(labels && { labels }) },
  })
  const flags = (given: Pod) => sidecar(run(given))['args'] as string[]

  test("the Deployment, by its ReplicaSet's name and the template's hash", () => {
    expect(flags(owned('ReplicaSet', 'web-abc', { 'pod-template-hash': 'abc' }))).toContain(
      '--deployment=web',
    )
    expect(flags(owned('ReplicaSet', 'bare'))).toContain('--owner=replicaset/bare')
  })

  test('other owners by their kinds, and none that is not a workload', () => {
    expect(flags(owned('StatefulSet', 'redis'))).toContain('--owner=statefulset/redis')
    expect(flags(owned('Node', 'n1')).join()).not.toContain('--owner')
  })

  test("an Argo Rollout's hash, from its own label", () => {
    const rollout = owned('ReplicaSet', 'web-abc', { 'rollouts-pod-template-hash': 'abc' })
    expect(flags(rollout)).toContain('--deployment=web')
    expect(JSON.stringify(sidecar(run(rollout))['env'])).toContain('rollouts-pod-template-hash')
  })

  test('of a template, the object that it is in', () => {
    const injection = inject(pod(), enabled, testPlan, workloadOfTemplate('Deployment', 'web'))
    expect(sidecar(injection)['args']).toContain('--deployment=web')
  })
})

describe('a pod that does not have the shape of one', () => {
  test.each([
    [null, 'the pod is not an object'],
    [{}, 'spec is missing'],
    [{ spec: { containers: {} } }, 'spec.containers is not a list'],
    [{ spec: { containers: [] } }, 'spec.containers is empty'],
    [{ spec: { containers: [{}] } }, 'spec.containers[0].name is missing'],
    [{ spec: { containers: [{ name: 'a', livenessProbe: { httpGet: {} } }] } }, 'httpGet.port is missing'],
    [
      { metadata: { annotations: { a: 1 } }, spec: { containers: [{ name: 'a' }] } },
      "metadata.annotations['a'] is not a string",
    ],
  ])('%j is told where', (value, problem) => {
    const read = readPod(value)
    expect(read.ok ? '' : read.problems.join()).toContain(problem)
  })
})

test('for a CNI plugin the pod has what its namespace asks for, under what it asks for itself', () => {
  const namespace = {
    annotations: {
      ...enabled.annotations,
      'config.weft.dev/interception': 'cni',
      'config.weft.dev/skip-inbound-ports': '9000',
      'config.weft.dev/admin-port': '4200',
      'config.weft.dev/access-log': 'json',
    },
    labels: {},
  }
  const own = { 'config.weft.dev/admin-port': '4300' }
  const annotations = podOf(run(pod({ annotations: own }), namespace)).metadata?.annotations
  expect(annotations).toMatchObject({
    'config.weft.dev/skip-inbound-ports': '9000',
    'config.weft.dev/admin-port': '4300',
  })
  expect(annotations).not.toHaveProperty(['config.weft.dev/access-log'])
  const byInit = pod({ annotations: { 'config.weft.dev/interception': 'init' } })
  expect(podOf(run(byInit, namespace)).metadata?.annotations).not.toHaveProperty([
    'config.weft.dev/skip-inbound-ports',
  ])
})

test('annotations that only the control plane reads are known, and who may connect has to read', () => {
  const known = {
    'config.weft.dev/opaque-ports': '3306',
    'config.weft.dev/default-inbound-policy': 'all-authenticated',
  }
  expect(run(pod({ annotations: known }))).toMatchObject({ kind: 'injected', warnings: [] })
  const wrong = { 'config.weft.dev/default-inbound-policy': 'nobody' }
  expect(run(pod({ annotations: wrong }))).toMatchObject({ kind: 'refuse' })
})

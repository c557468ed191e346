/** The kubelet's probes of an injected pod: asked of the sidecar from outside, answered by the application inside. */
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { inject } from '../../injector/inject.ts'
import type { Container, Pod as PodManifest, Probe } from '../../injector/pod.ts'
import { enabled, testPlan } from '../../injector/test-plan.ts'
import { workloadOfPod } from '../../injector/workload.ts'
import { type Pod, RedirectedMesh } from './redirected-mesh.ts'
import { describeWith } from './requirements.ts'

const echo = path.join(import.meta.dirname, 'echo-application.ts')
const open = 3000
const closed = 3001

const manifest: PodManifest = {
  spec: {
    containers: [
      {
        name: 'app',
        ports: [{ name: 'http', containerPort: open }],
        readinessProbe: { httpGet: { path: '/ready', port: 'http' } },
        livenessProbe: { tcpSocket: { port: open } },
        startupProbe: { tcpSocket: { port: closed } },
      },
    ],
  },
}

/** The pod with its sidecar, as the webhook makes it. */
function injected(): { readonly app: Container; readonly init: string[]; readonly sidecar: string[] } {
  const injection = inject(manifest, enabled, testPlan, workloadOfPod(undefined))
  if (injection.kind !== 'injected') throw new Error(injection.reason)
  const { containers, initContainers } = injection.pod.spec
  const [init, proxy] = initContainers as readonly (Container & {
    readonly args: string[]
    readonly env: readonly { readonly name: string; readonly value?: string }[]
  })[]
  const probes = proxy?.env.find(({ name }) => name === 'WEFT_PROBES')?.value
  const addresses = proxy?.args.filter((flag) => flag.startsWith('--admin-address=')) ?? []
  return {
    app: containers[0] as Container,
    init: init?.args ?? [],
    sidecar: [...addresses, `--probes=${probes}`],
  }
}

describeWith(
  ['ip', 'iptables-restore', 'ip6tables-restore', 'setpriv', 'ss', 'curl'],
  "an injected pod's probes",
  () => {
    const { app, init, sidecar } = injected()
    let mesh: RedirectedMesh
    let pod: Pod

    beforeAll(async () => {
      mesh = new RedirectedMesh()
      const plan = { containerPorts: [open], init, sidecar }
      pod = mesh.addPod('probed', plan)
      await mesh.startControlPlane()
      pod = await mesh.startSidecar(pod, plan)
      await mesh.startApplication(pod, open, process.execPath, echo, 'app', String(open))
    })
    afterAll(() => mesh?.remove())

    /** As the kubelet of the node: from another network namespace, to the pod's own address. */
    function ask(address: string, probe: Probe | null | undefined): string {
      const { path: at, port } = probe?.httpGet ?? {}
      return mesh.curl(
        mesh.network.hub,
        '-o',
        '/dev/null',
        '-w',
        '%{http_code}',
        `http://${address}:${port}${at}`,
      )
    }

    test.each(['v4', 'v6'] as const)('are answered over IP%s by the application', (family) => {
      const address = family === 'v4' ? pod.v4 : `[${pod.v6}]`
      expect(ask(address, app.readinessProbe)).toBe('200')
      expect(ask(address, app.livenessProbe)).toBe('200')
    })

    test('fail where the application does not listen', () => {
      expect(ask(pod.v4, app.startupProbe)).toBe('503')
    })
  },
)

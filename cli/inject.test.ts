import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { proxyAnnotations, initAnnotations } from '../api/sidecar-annotations.ts'
import { sidecarEnvironment } from '../deploy/sidecar-environment.ts'
import { readSettings, type SettingsTable } from '../core/settings.ts'
import { proxySettings } from '../proxy/settings.ts'
import { injectManifests, uninjectManifests } from './inject.ts'
import { initSettings } from './init.ts'
import { splitYaml } from './yaml-stream.ts'

const plan = {
  image: 'example.org/weft:1',
  imagePullPolicy: 'IfNotPresent',
  controlPlane: 'weft-control-plane.weft.svc:8086',
  trustBundle: 'PEM\n',
  trustDomain: 'cluster.local',
  interception: 'init',
} as const

const workload = (apiVersion: string, kind: string, name: string): string => `---
# ${name}
apiVersion: ${apiVersion}
kind: ${kind}
metadata:
  name: ${name}
spec:
  template:
    spec:
      containers:
      - name: app   # the application
        image: "example.org/app:1"
        livenessProbe: { httpGet: { path: /live, port: 8080 } }
      volumes:
      - name: config
        configMap: { name: config, defaultMode: 0644 }
`

const service = `# the Service
apiVersion:   v1
kind: Service
metadata: {name: "web",   labels: {a: 'b'}}
spec:
    ports: [ {port: 80} ]
`

const kinds = [
  ['apps/v1', 'Deployment'],
  ['apps/v1', 'ReplicaSet'],
  ['apps/v1', 'StatefulSet'],
  ['apps/v1', 'DaemonSet'],
  ['batch/v1', 'Job'],
  ['v1', 'ReplicationController'],
] as const

type Template = {
  readonly spec: {
    readonly containers: { readonly name: string; readonly livenessProbe?: object }[]
    readonly initContainers?: { readonly name: string; readonly args: string[] }[]
  }
}
const templateOf = (text: string): Template =>
  (parse(text) as { readonly spec: { readonly template: Template } }).spec.template

test.each(kinds)('a %s %s gets a sidecar that knows it by its kind', (apiVersion, kind) => {
  const { text, reports } = injectManifests(workload(apiVersion, kind, 'web'), plan)
  expect(reports).toEqual([{ object: `${kind.toLowerCase()}/web`, outcome: 'changed', notes: [] }])
  const { initContainers, containers } = templateOf(text).spec
  expect(initContainers?.map(({ name }) => name)).toEqual(['weft-init', 'weft-proxy'])
  const owner = kind === 'Deployment' ? '--deployment=web' : `--owner=${kind.toLowerCase()}/web`
  expect(initContainers?.[1]?.args).toContain(owner)
  expect(containers[0]?.livenessProbe).toEqual({
    httpGet: { path: '/probe/app/livenessProbe', port: 4191 },
  })
})

test('a CronJob gets it in the template of its Jobs, a Pod in itself', () => {
  const cron = `apiVersion: batch/v1
kind: CronJob
metadata: { name: nightly }
spec: { jobTemplate: { spec: { template: { spec: { containers: [{ name: app }] } } } } }
`
  const text = injectManifests(cron, plan).text
  const { spec } = parse(text) as { spec: { jobTemplate: { spec: { template: Template } } } }
  expect(spec.jobTemplate.spec.template.spec.initContainers).toHaveLength(2)
  const pod = 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n  containers:\n  - name: app\n'
  expect((parse(injectManifests(pod, plan).text) as Template).spec.initContainers).toHaveLength(2)
})

test('documents that make no pods stay byte for byte, whatever stands around them', () => {
  const stream = `\n# leading comment\n${service}${workload('apps/v1', 'Deployment', 'web')}--- # trailing\n${service}---\n`
  const { text, reports } = injectManifests(stream, plan)
  const [before, after] = [splitYaml(stream), splitYaml(text)]
  expect(after).toHaveLength(before.length)
  for (const i of [0, 2, 3]) expect(after[i]?.text).toBe(before[i]?.text)
  expect(reports.map(({ object, outcome }) => `${object} ${outcome}`)).toEqual([
    'service/web unchanged',
    'deployment/web changed',
    'service/web unchanged',
  ])
})

test('a document that is changed keeps its comments, its forms and its values as they were written', () => {
  const { text } = injectManifests(workload('apps/v1', 'Deployment', 'web'), plan)
  expect(text).toContain('# web\napiVersion')
  expect(text).toContain('      - name: app # the application\n        image: "example.org/app:1"\n')
  expect(text).toContain('defaultMode: 0644')
})

test('the items of a List are each given one', () => {
  const list = `apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service
  metadata: {name: "a"}   # a Service
- apiVersion: apps/v1
  kind: Deployment
  metadata: { name: b }
  spec: { template: { spec: { containers: [{ name: app }] } } }
`
  const { text, reports } = injectManifests(list, plan)
  expect(reports.map(({ outcome }) => outcome)).toEqual(['unchanged', 'changed'])
  expect(text).toContain('# a Service')
  expect(text).toContain('weft-proxy')
})

test('JSON stays JSON', () => {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'a' }] },
  }
  const { text } = injectManifests(JSON.stringify(pod), plan)
  expect((JSON.parse(text) as Template).spec.initContainers).toHaveLength(2)
})

test('an alias does not carry a sidecar to where it was not meant', () => {
  const aliased = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, labels: &labels { app: web } }
spec:
  selector: { matchLabels: *labels }
  template: { metadata: { labels: *labels }, spec: { containers: [{ name: app }] } }
`
  const value = parse(injectManifests(aliased, plan).text) as {
    spec: { selector: object; template: { metadata: { labels: object } } }
  }
  expect(value.spec.selector).toEqual({ matchLabels: { app: 'web' } })
  expect(value.spec.template.metadata.labels).toEqual({ app: 'web', 'weft.dev/injected': 'true' })
})

test('what is refused or skipped is said, and stays as it is', () => {
  const host = workload('apps/v1', 'DaemonSet', 'agent').replace(
    '    spec:\n',
    '    spec:\n      hostNetwork: true\n',
  )
  const uid = workload('apps/v1', 'Deployment', 'bypass').replace(
    '    spec:\n',
    '    spec:\n      securityContext: { runAsUser: 2102 }\n',
  )
  const broken = 'apiVersion: v1\nkind: Pod\nmetadata: { name: broken }\nspec: {}\n'
  const stream = host + uid + `---\n${broken}`
  const { text, reports } = injectManifests(stream, plan)
  expect(text).toBe(stream)
  expect(reports.map(({ object, outcome, notes }) => [object, outcome, notes.join()])).toEqual([
    ['daemonset/agent', 'unchanged', expect.stringContaining("node's network")],
    ['deployment/bypass', 'refused', expect.stringContaining('runs as user 2102')],
    ['pod/broken', 'refused', 'spec.containers is missing'],
  ])
})

test('text that is no YAML is an error with its line in the stream', () => {
  expect(() => injectManifests(`${service}---\na: [\n`, plan)).toThrow(/line [789]/)
  expect(() => injectManifests(`${service}---\na: *who\n`, plan)).toThrow(/line [789].*Unresolved alias/s)
})

test('injecting again changes nothing', () => {
  const once = injectManifests(workload('apps/v1', 'Deployment', 'web'), plan).text
  const again = injectManifests(once, plan)
  expect(again.text).toBe(once)
  expect(again.reports[0]).toMatchObject({ outcome: 'unchanged', notes: ['it has a sidecar already'] })
})

const golden = path.join(import.meta.dirname, '../injector/golden')
const shapes = readdirSync(golden).filter((file) => !file.endsWith('.injected.yaml'))

test.each(shapes)('uninject undoes inject for %s', (file) => {
  const text = readFileSync(path.join(golden, file), 'utf8')
  const injected = injectManifests(text, plan)
  if (injected.reports[0]?.outcome !== 'changed') expect(injected.text).toBe(text)
  else expect(parse(uninjectManifests(injected.text).text)).toEqual(parse(text))
})

test('uninject leaves what has no sidecar byte for byte', () => {
  const stream = service + workload('apps/v1', 'Deployment', 'web')
  expect(uninjectManifests(stream).text).toBe(stream)
})

test.each(readdirSync(golden).filter((file) => file.endsWith('.injected.yaml')))(
  'the processes take the flags and variables of %s',
  (file) => {
    const pod = parseAllDocuments(
      readFileSync(path.join(golden, file), 'utf8'),
    )[0]?.toJS() as Partial<Template>
    type Written = {
      name: string
      args: string[]
      command: string[]
      env?: { name: string; value?: string }[]
    }
    const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])] as Written[]
    for (const { name, args, env = [] } of containers) {
      const variables = Object.fromEntries(env.map((entry) => [entry.name, entry.value ?? 'x']))
      // A file of the pod, which is not here.
      const withOurFile = (args ?? []).map((flag) =>
        flag.startsWith('--control-plane-ca=') ? `--control-plane-ca=${import.meta.filename}` : flag,
      )
      if (name === 'weft-init') readSettings(initSettings, { args, env: {} })
      if (name !== 'weft-proxy' || args === undefined) continue
      readSettings(proxySettings, { args: withOurFile, env: variables })
      expect(variables).toMatchObject(sidecarEnvironment())
    }
  },
)

test.each([
  [proxyAnnotations, proxySettings],
  [initAnnotations, initSettings],
] as readonly (readonly [SettingsTable, SettingsTable])[])(
  'an annotation reads as the setting that it is handed to',
  (annotations, settings) => {
    for (const { flag, kind, choices, min } of Object.values(annotations)) {
      const setting = Object.values(settings).find((entry) => entry.flag === flag)
      expect([flag, kind, choices, min]).toEqual([
        setting?.flag,
        setting?.kind,
        setting?.choices,
        setting?.min,
      ])
    }
  },
)

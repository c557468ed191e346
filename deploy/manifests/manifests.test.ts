import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { installText, uninstallText } from '../../cli/install.ts'
import { controlPlaneSettings } from '../../control-plane/settings.ts'
import { readSettings } from '../../core/settings.ts'
import { injectorSettings } from '../../injector/settings.ts'
import { processes } from '../bundle.ts'
import type { InstallOptions, Manifest } from './install-options.ts'
import { kustomizeFiles } from './kustomize-files.ts'
import { crdFiles, installManifests } from './manifests.ts'

const options: InstallOptions = {
  image: 'registry.example/weft:1',
  imagePullPolicy: 'Always',
  trustDomain: 'mesh.example',
  interception: 'cni',
  ha: false,
}
const ha: InstallOptions = { ...options, ha: true }

const of = (kind: string, given: InstallOptions = options): readonly Manifest[] =>
  installManifests(given).filter((manifest) => manifest.kind === kind)

type PodTemplate = {
  readonly spec: {
    readonly affinity?: object
    readonly serviceAccountName: string
    readonly containers: { readonly name: string; readonly args: string[]; readonly image: string }[]
  }
}
const templateOf = (deployment: Manifest): PodTemplate =>
  (deployment['spec'] as { readonly template: PodTemplate }).template

test.each([...kustomizeFiles()])(
  'deploy/%s says what the code says (npm run build:manifests)',
  (name, text) => {
    expect(readFileSync(path.join(import.meta.dirname, '..', name), 'utf8')).toBe(text)
  },
)

test('every text of weft install is YAML that holds every object once', () => {
  const text = installText(ha)
  const objects = parseAllDocuments(text).map((document) => {
    expect(document.errors).toEqual([])
    return document.toJS() as Manifest
  })
  const keys = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''} ${metadata.name}`)
  expect(new Set(keys).size).toBe(keys.length)
  expect(objects.filter(({ kind }) => kind === 'CustomResourceDefinition').length).toBeGreaterThanOrEqual(
    crdFiles().length,
  )
})

test('the processes take the flags that they are given', () => {
  const asked: InstallOptions = { ...options, issuerSecret: 'our-issuer' }
  for (const deployment of [...of('Deployment'), ...of('Deployment', asked)]) {
    const [container] = templateOf(deployment).spec.containers
    const table = container?.name === 'weft-injector' ? injectorSettings : controlPlaneSettings
    readSettings(table, { args: container?.args ?? [], env: {} })
  }
})

test('what is started is in the image', () => {
  const golden = path.join(import.meta.dirname, '../../injector/golden')
  const texts = [
    installText(ha),
    ...readdirSync(golden).map((file) => readFileSync(path.join(golden, file), 'utf8')),
  ]
  const started = texts.flatMap((text) =>
    [...text.matchAll(/\/weft\/([a-z-]+)\.cjs/g)].map(([, name]) => name),
  )
  expect(new Set(started)).toEqual(new Set(processes))
})

test('what the user chose arrives at the sidecars', () => {
  const injector = of('Deployment').find(({ metadata }) => metadata.name === 'weft-injector') as Manifest
  const [container] = templateOf(injector).spec.containers
  expect(container?.image).toBe('registry.example/weft:1')
  expect(container?.args).toEqual(
    expect.arrayContaining([
      '--image=registry.example/weft:1',
      '--image-pull-policy=Always',
      '--trust-domain=mesh.example',
      '--interception=cni',
    ]),
  )
})

describe('rights', () => {
  type Rule = { readonly resources: string[]; readonly resourceNames?: string[]; readonly verbs: string[] }
  const rules = [...of('Role'), ...of('ClusterRole')].flatMap((role) =>
    (role['rules'] as Rule[]).map((rule) => ({ ...rule, name: role.metadata.name, kind: role.kind })),
  )

  test('are none by wildcard', () => {
    expect(JSON.stringify(rules)).not.toContain('*')
  })

  test('reach one Secret, by its name, for the control plane alone', () => {
    const secrets = rules.filter(({ resources }) => resources.includes('secrets'))
    expect(secrets).toEqual([
      expect.objectContaining({ kind: 'Role', name: 'weft-control-plane', resourceNames: ['weft-root'] }),
    ])
  })

  test("reach the user's issuer in the place of the root, to read and no more, when it is asked for", () => {
    const asked: InstallOptions = { ...options, issuerSecret: 'our-issuer' }
    const [secrets, ...others] = of('Role', asked)
      .flatMap((role) => role['rules'] as Rule[])
      .filter(({ resources }) => resources.includes('secrets'))
    expect(secrets).toEqual({
      apiGroups: [''],
      resources: ['secrets'],
      resourceNames: ['our-issuer'],
      verbs: ['get'],
    })
    expect(others).toEqual([])
    expect(of('Secret', asked)).toEqual([])
    const plane = of('Deployment', asked).find(({ metadata }) => metadata.name === 'weft-control-plane')
    expect(templateOf(plane as Manifest).spec.containers[0]?.args).toContain(
      '--issuer-secret=weft/our-issuer',
    )
  })

  test('are held by a ServiceAccount for each process', () => {
    expect(of('Deployment').map((deployment) => templateOf(deployment).spec.serviceAccountName)).toEqual([
      'weft-control-plane',
      'weft-injector',
    ])
  })
})

describe('the webhook', () => {
  type Webhook = {
    readonly failurePolicy: string
    readonly sideEffects: string
    readonly reinvocationPolicy: string
    readonly clientConfig: { readonly caBundle?: string }
    readonly namespaceSelector: { readonly matchExpressions: { readonly values: string[] }[] }
  }
  const webhook = (given: InstallOptions): Webhook =>
    of('MutatingWebhookConfiguration', given).flatMap(({ webhooks }) => webhooks as Webhook[])[0] as Webhook

  test('lets pods start without it when it is alone, and none when there are replicas', () => {
    expect(webhook(options).failurePolicy).toBe('Ignore')
    expect(webhook(ha).failurePolicy).toBe('Fail')
  })

  test('is never asked about what it needs itself, or the cluster to come up', () => {
    const [expression] = webhook(ha).namespaceSelector.matchExpressions
    expect(expression?.values).toEqual(expect.arrayContaining(['kube-system', 'weft']))
  })

  test('has no side effects, may be asked again, and brings no certificate of its own', () => {
    expect(webhook(ha)).toMatchObject({ sideEffects: 'None', reinvocationPolicy: 'IfNeeded' })
    expect(webhook(ha).clientConfig.caBundle).toBeUndefined()
  })
})

test('only --ha brings replicas on different nodes and a budget of disruptions', () => {
  expect(of('PodDisruptionBudget')).toEqual([])
  expect(of('PodDisruptionBudget', ha)).toHaveLength(2)
  for (const deployment of of('Deployment', ha)) {
    expect(deployment['spec']).toMatchObject({ replicas: 3 })
    expect(templateOf(deployment).spec.affinity).toHaveProperty('podAntiAffinity')
  }
})

test('applied again, the stores of the control plane have no data that would take its own away', () => {
  const stores = [...of('Secret'), ...of('ConfigMap')].filter(
    ({ metadata }) => metadata.name !== 'weft-install',
  )
  expect(stores.map(({ metadata }) => metadata.name)).toEqual(['weft-root', 'weft-trust-bundle'])
  for (const store of stores) expect(store).not.toHaveProperty('data')
})

test('uninstall names all that is not in the namespace, the webhook first and the namespace last', () => {
  const deleted = parseAllDocuments(uninstallText({ withCrds: false })).map(
    (document) => document.toJS() as Manifest,
  )
  expect(deleted[0]?.kind).toBe('MutatingWebhookConfiguration')
  expect(deleted.at(-1)?.kind).toBe('Namespace')
  const wide = installManifests(ha).filter(({ metadata }) => metadata.namespace === undefined)
  expect(deleted).toHaveLength(wide.length)
})

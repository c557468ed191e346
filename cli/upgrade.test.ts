import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { version } from '../core/version.ts'
import type { InstallOptions, Manifest } from '../deploy/manifests/install-options.ts'
import { installRecord, readInstallRecord } from '../deploy/manifests/install-record.ts'
import { installManifests } from '../deploy/manifests/manifests.ts'
import { imageAfter, obsoleteText, upgradedOptions, upgradeText } from './upgrade.ts'

const options: InstallOptions = {
  image: 'registry.example:5000/weft:0.0.9',
  imagePullPolicy: 'Always',
  trustDomain: 'mesh.example',
  interception: 'cni',
  ha: true,
}
const installed = { version: '0.0.9', options }

function objectsOf(text: string): readonly Manifest[] {
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest)
}

test('what weft install records is what weft upgrade reads', () => {
  expect(readInstallRecord(installRecord(options))).toEqual({ version, options })
})

test("a Secret with the user's issuer stays what it is", () => {
  const own = { ...options, issuerSecret: 'our-issuer' }
  const { options: read } = readInstallRecord(installRecord(own))
  expect(read).toEqual(own)
  expect(upgradeText({ ...installed, options: read }, {})).toContain('--issuer-secret=weft/our-issuer')
})

test.each([
  ['nothing', undefined, 'version is missing'],
  ['no data', {}, 'image is missing or wrong'],
  ['no JSON', { data: { version: '1', 'options.json': '{' } }, 'trustDomain is missing or wrong'],
  ['another type', { data: { version: '1', 'options.json': '{"ha":"yes"}' } }, 'ha is missing or wrong'],
])('a record of %s is refused, with every problem', (_what, record, problem) => {
  expect(() => readInstallRecord(record)).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      detail: expect.arrayContaining([expect.stringContaining(problem)]),
    }),
  )
})

test.each([
  ['registry.example:5000/weft:0.0.9', `registry.example:5000/weft:${version}`],
  ['weft:0.0.9', `weft:${version}`],
  ['weft:stable', 'weft:stable'],
  ['weft@sha256:00', 'weft@sha256:00'],
])('the image %s becomes %s', (before, after) => {
  expect(imageAfter(before, '0.0.9')).toBe(after)
})

test('settings stay as they were, but for those that are given', () => {
  const kept = { ...options, image: `registry.example:5000/weft:${version}` }
  expect(upgradedOptions(installed, {})).toEqual(kept)
  expect(upgradedOptions(installed, { ha: false, image: 'other:1' })).toEqual({
    ...kept,
    ha: false,
    image: 'other:1',
  })
})

test('what is printed installs this version with them, and records it', () => {
  const record = objectsOf(upgradeText(installed, { ha: false })).find(
    ({ metadata }) => metadata.name === 'weft-install',
  )
  expect(readInstallRecord(record)).toMatchObject({
    version,
    options: { trustDomain: 'mesh.example', ha: false },
  })
})

describe('what is obsolete', () => {
  const names = (text: string): readonly string[] =>
    objectsOf(text).map(({ kind, metadata }) => `${kind} ${metadata?.name}`)

  test('is what was installed and is no part of it any more', () => {
    const text = obsoleteText({ ...options, ha: false }, installManifests(options))
    expect(names(text)).toEqual([
      'PodDisruptionBudget weft-control-plane',
      'PodDisruptionBudget weft-injector',
    ])
  })

  test('is nothing of what stays, and nothing that only bears the label', () => {
    const theirs = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'dashboards', namespace: 'weft' },
    }
    const text = obsoleteText(options, [...installManifests(options), theirs])
    expect(objectsOf(text)).toEqual([{ apiVersion: 'v1', kind: 'List', items: [] }])
  })

  test('is no CRD: what users have written would go with it', () => {
    const crd = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'old.weft.dev' },
    }
    const kept = { ...crd, metadata: { name: 'trafficpolicies.weft.dev' } }
    const text = obsoleteText(options, [crd, kept])
    expect(text).toContain('kubectl delete crd old.weft.dev\n')
    expect(text).not.toContain('trafficpolicies')
    expect(objectsOf(text)).toEqual([{ apiVersion: 'v1', kind: 'List', items: [] }])
  })
})

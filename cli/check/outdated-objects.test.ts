import { expect, test } from 'vitest'
import type { Manifest } from '../../deploy/manifests/install-options.ts'
import { expectedObjects } from './cluster-facts.ts'
import { outdatedChecks } from './outdated-objects.ts'

function object(kind: string, name: string): Manifest {
  const found = expectedObjects().find((one) => one.kind === kind && one.metadata.name === name)
  if (found === undefined) throw new Error(`no ${kind} ${name}`)
  return found
}

/** What is said when `change` was made to what is installed. */
function said(manifest: Manifest, change: (installed: never) => void): readonly string[] {
  const body = structuredClone(manifest)
  change(body as never)
  return outdatedChecks({ manifest, reply: { status: 200, body, retryAfterMs: undefined } }).map(
    ({ outcome, id, message }) => `${outcome} ${id}: ${message}`,
  )
}

type Schema = { readonly properties: Record<string, Schema> }
type Crd = {
  spec: { versions: { name: string; served: boolean; schema: { openAPIV3Schema: Schema } }[] }
}
type Role = { rules: { verbs: string[] }[] }
const accessPolicies = object('CustomResourceDefinition', 'accesspolicies.weft.dev')

test('what is installed as it should be has nothing to be told', () => {
  for (const manifest of expectedObjects()) expect(said(manifest, () => undefined)).toEqual([])
})

test('a CRD of an older version: the field that is new in ours, and not those within it', () => {
  expect(
    said(accessPolicies, ({ spec: { versions } }: Crd) => {
      for (const { schema } of versions) delete schema.openAPIV3Schema.properties['spec']?.properties['rules']
    }),
  ).toEqual([
    "warning CRD_OUTDATED: CustomResourceDefinition accesspolicies.weft.dev is another version's: what is said in spec.rules is dropped unread",
  ])
})

const splits = object('CustomResourceDefinition', 'trafficsplits.split.smi-spec.io')

test("somebody else's CRD of a kind of SMI does, as long as it serves a version that we read", () => {
  const serving = (names: readonly string[]) =>
    said(splits, (crd: Crd) => {
      crd.spec.versions = crd.spec.versions.map((version) => ({
        ...version,
        served: names.includes(version.name),
        schema: { openAPIV3Schema: { properties: {} } as Schema },
      }))
    })
  expect(serving(['v1alpha1', 'v1alpha2'])).toEqual([])
  expect(serving([])).toEqual([
    'fails CRD_OUTDATED: CustomResourceDefinition trafficsplits.split.smi-spec.io serves no version that this weft reads (v1alpha4, v1alpha3, v1alpha2, v1alpha1)',
  ])
})

test('a role without a right that this version uses', () => {
  expect(
    said(object('ClusterRole', 'weft-control-plane'), ({ rules: [first] }: Role) => {
      if (first !== undefined) first.verbs = ['list']
    }),
  ).toEqual([
    "fails CLUSTER_ROLE_OUTDATED: ClusterRole weft-control-plane is not this version's: it does not allow to watch namespaces, watch nodes, watch services and 1 more",
  ])
})

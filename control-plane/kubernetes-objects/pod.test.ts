import { expect, test } from 'vitest'
import { convertObject } from './convert.ts'

const admin = { from: 4191, to: 4191 }

function convert(facts: { spec?: object; status?: object; annotations?: object }) {
  const { annotations = {}, ...rest } = facts
  const metadata = { name: 'db-0', namespace: 'shop', annotations }
  return convertObject({ apiVersion: 'v1', kind: 'Pod', metadata, spec: {}, ...rest })
}

test('a Pod has the addresses of its status, of both families, each once', () => {
  const status = { podIP: '10.0.0.7', podIPs: [{ ip: '10.0.0.7' }, { ip: 'fd00::7' }] }
  expect(convert({ status })).toMatchObject({ change: { value: { addresses: ['10.0.0.7', 'fd00::7'] } } })
})

test.each([
  ['has none yet', {}],
  ['has ended', { status: { phase: 'Succeeded', podIP: '10.0.0.7' } }],
  ['has failed', { status: { phase: 'Failed', podIP: '10.0.0.7' } }],
  ["is on its node's network", { spec: { hostNetwork: true }, status: { podIP: '10.0.0.7' } }],
])('a Pod that %s has no address of its own', (_, facts) => {
  expect(convert(facts)).toMatchObject({ change: { value: { addresses: [] } } })
})

test('ports that a Pod tells its sidecar to skip, and the pages of the sidecar, are reached past it', () => {
  const annotations = { 'config.weft.dev/skip-inbound-ports': '25,4567-4568' }
  expect(convert({ annotations })).toMatchObject({
    change: {
      value: {
        bypassedPorts: {
          skipped: [
            { from: 25, to: 25 },
            { from: 4567, to: 4568 },
          ],
        },
      },
    },
  })
  expect(convert({ annotations: { 'config.weft.dev/admin-port': '4200' } })).toMatchObject({
    change: { value: { bypassedPorts: { skipped: undefined, admin: [{ from: 4200, to: 4200 }] } } },
  })
})

test('where a plugin redirects, what its sidecar and its annotations say counts, and no later word of its Namespace', () => {
  const sidecar = { name: 'weft-proxy', args: ['--inbound-address=[::]:4143', '--admin-address=[::]:4200'] }
  const pages = [{ from: 4200, to: 4200 }]
  const annotations = { 'config.weft.dev/skip-inbound-ports': '9000' }
  for (const spec of [{ initContainers: [sidecar] }, { containers: [sidecar] }]) {
    expect(convert({ spec, annotations })).toMatchObject({
      change: { value: { bypassedPorts: { skipped: [{ from: 9000, to: 9000 }], admin: pages } } },
    })
    expect(convert({ spec })).toMatchObject({
      change: { value: { bypassedPorts: { skipped: [], admin: pages } } },
    })
  }
})

test('a Namespace says the same for its Pods', () => {
  const annotations = {
    'config.weft.dev/skip-inbound-ports': '9000',
    'config.weft.dev/admin-port': '4200',
    'config.weft.dev/default-inbound-policy': 'all-authenticated',
  }
  const metadata = { name: 'shop', annotations }
  expect(convertObject({ apiVersion: 'v1', kind: 'Namespace', metadata })).toMatchObject({
    change: {
      value: {
        bypassedPorts: { skipped: [{ from: 9000, to: 9000 }], admin: [{ from: 4200, to: 4200 }] },
        inboundPolicy: 'all-authenticated',
      },
    },
  })
})

test('who may connect that does not read is refused with its annotation', () => {
  expect(convert({ annotations: { 'config.weft.dev/default-inbound-policy': 'nobody' } })).toMatchObject({
    outcome: 'refused',
    problems: [{ path: ['metadata', 'annotations', 'config.weft.dev/default-inbound-policy'] }],
  })
})

test('what its init container was told says also what its Namespace asked for', () => {
  const args = ['--inbound-port=4143', '--admin-port=4191', '--skip-inbound-ports=9000']
  const initContainers = [
    { name: 'other', args: ['--skip-inbound-ports=1'] },
    { name: 'weft-init', args },
  ]
  expect(convert({ spec: { initContainers } })).toMatchObject({
    change: { value: { bypassedPorts: { skipped: [{ from: 9000, to: 9000 }], admin: [admin] } } },
  })
})

test('ports to skip that do not read are refused with their annotation', () => {
  expect(convert({ annotations: { 'config.weft.dev/skip-inbound-ports': 'all' } })).toMatchObject({
    outcome: 'refused',
    problems: [{ path: ['metadata', 'annotations', 'config.weft.dev/skip-inbound-ports'] }],
  })
})

test.each([
  ['ReplicaSet', 'web-7f9', { 'pod-template-hash': '7f9' }, { deployment: 'web', owner: undefined }],
  ['StatefulSet', 'redis', {}, { deployment: undefined, owner: 'statefulset/redis' }],
  ['Job', 'nightly-1', {}, { deployment: undefined, owner: 'job/nightly-1' }],
])('a Pod of a %s is counted by it', (kind, name, labels, value) => {
  const metadata = { name: 'p', namespace: 'shop', labels, ownerReferences: [{ kind, name }] }
  expect(convertObject({ apiVersion: 'v1', kind: 'Pod', metadata, spec: {} })).toMatchObject({
    change: { value },
  })
})

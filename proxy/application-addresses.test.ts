import { expect, test } from 'vitest'
import { ofPod, onLoopback } from './application-addresses.ts'

type Entry = NonNullable<ReturnType<typeof import('node:os').networkInterfaces>[string]>[number]

function entry(family: 'IPv4' | 'IPv6', address: string, internal = false): Entry {
  const rest = { address, internal, netmask: '', mac: '', cidr: null }
  return family === 'IPv4' ? { ...rest, family } : { ...rest, family, scopeid: 0 }
}

test("a pod's application is asked at the pod's addresses, and not on loopback", () => {
  const interfaces = {
    lo: [entry('IPv4', '127.0.0.1', true), entry('IPv6', '::1', true)],
    eth0: [entry('IPv6', 'fd77::2'), entry('IPv4', '10.77.0.2'), entry('IPv6', 'fe80::1')],
  }
  expect(ofPod(interfaces)).toEqual([
    { host: '10.77.0.2', from: '127.0.0.6' },
    { host: 'fd77::2', from: 'fe80::1%eth0' },
  ])
})

test('a link without an address of its own is none to connect from', () => {
  expect(ofPod({ eth0: [entry('IPv6', 'fd77::2')] })).toEqual([{ host: 'fd77::2', from: '::1' }])
})

test('where there is nothing but loopback, it is asked there', () => {
  expect(ofPod({ lo: [entry('IPv4', '127.0.0.1', true)] })).toEqual(onLoopback)
})

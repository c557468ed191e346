import { Buffer } from 'node:buffer'
import { expect, it } from 'vitest'
import { readIpv4Address, readIpv6Address } from './original-destination.ts'

it('reads an IPv4 address and its port', () => {
  expect(readIpv4Address(Buffer.from([2, 0, 0x1f, 0x90, 10, 96, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0]))).toBe(
    '10.96.0.7:8080',
  )
})

it.each([
  ['fd960000000000000000000000000010', '[fd96::10]:8080'],
  ['20010db8000000010000000000000001', '[2001:db8:0:1::1]:8080'],
  ['00000000000000000000000000000001', '[::1]:8080'],
])('reads the IPv6 address %s in its shortest form', (hex, expected) => {
  const head = Buffer.from([10, 0, 0x1f, 0x90, 0, 0, 0, 0])
  expect(readIpv6Address(Buffer.concat([head, Buffer.from(hex, 'hex'), Buffer.alloc(4)]))).toBe(expected)
})

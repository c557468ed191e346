import { expect, it } from 'vitest'
import { formatSubnet, parseSubnet } from './subnet.ts'

it.each([
  ['10.0.0.0/8', '10.0.0.0/8'],
  ['10.1.2.3', '10.1.2.3/32'],
  ['fd00::/8', 'fd00::/8'],
  ['::1', '::1/128'],
  ['0.0.0.0/0', '0.0.0.0/0'],
])('reads %s as %s', (text, network) => {
  const subnet = parseSubnet(text)
  expect(subnet && formatSubnet(subnet)).toBe(network)
  expect(subnet?.family).toBe(text.includes(':') ? 6 : 4)
})

it.each([
  '',
  '10.0.0/8',
  '10.0.0.0/33',
  'fd00::/129',
  '10.0.0.0/',
  '10.0.0.0/8/8',
  '10.0.0.0/-1',
  'example/8',
])('refuses "%s"', (text) => expect(parseSubnet(text)).toBeUndefined())

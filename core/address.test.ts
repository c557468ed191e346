import { expect, it } from 'vitest'
import { formatAddress, isLoopback, parseAddress } from './address.ts'

it.each(['127.0.0.1:8086', '[::1]:80', 'weft-control-plane.weft:8086'])('reads and writes %s', (text) => {
  const address = parseAddress(text)
  expect(address && formatAddress(address)).toBe(text)
})

it('takes an empty host as all addresses', () => {
  expect(parseAddress(':8080')).toEqual({ host: '0.0.0.0', port: 8080 })
})

it.each(['localhost', 'a:b', '::1:80', 'a:70000', 'http://a:80', ''])('refuses "%s"', (text) => {
  expect(parseAddress(text)).toBeUndefined()
})

it('knows loopback in all its forms', () => {
  expect(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'].every(isLoopback)).toBe(true)
  expect(['10.0.0.1', '::ffff:10.0.0.1', undefined].some(isLoopback)).toBe(false)
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { NameServer } from './test-name-server.ts'
import { DnsResolver, type FamilyChoice, ipv4Preferred } from './host-resolver.ts'

let server: NameServer
let resolver: DnsResolver
beforeAll(async () => {
  server = await NameServer.start()
  server.names.set('both.example', ['192.0.2.1', '::1', '192.0.2.2'])
  server.names.set('six.example', ['::1'])
  resolver = new DnsResolver([server.address])
})
afterAll(() => server.stop())

const all: FamilyChoice = { families: [4, 6], which: 'all' }
const sixFirst: FamilyChoice = { families: [6, 4], which: 'first' }
const addressesOf = async (host: string, choice = ipv4Preferred) =>
  (await resolver.resolve(host, choice)).addresses.toSorted()

test.each<[string, string, FamilyChoice, string[]]>([
  ['the first family that there are any of', 'both.example', ipv4Preferred, ['192.0.2.1', '192.0.2.2']],
  ['the other when there are none', 'six.example', ipv4Preferred, ['::1']],
  ['the other first when it is preferred', 'both.example', sixFirst, ['::1']],
  ['all of them', 'both.example', all, ['192.0.2.1', '192.0.2.2', '::1']],
])('a name gives %s', async (_what, host, choice, addresses) => {
  expect(await addressesOf(host, choice)).toEqual(addresses)
})

test('says how long the answer holds', async () => {
  server.ttlSeconds = 30
  expect((await resolver.resolve('both.example', ipv4Preferred)).ttlMs).toBe(30_000)
})

test('an address, and what the machine knows by itself, are asked of nobody', async () => {
  server.asked.length = 0
  expect(await addressesOf('192.0.2.7')).toEqual(['192.0.2.7'])
  expect(await addressesOf('::1')).toEqual(['::1'])
  expect(await addressesOf('LocalHost')).toEqual(['127.0.0.1'])
  expect(server.asked).toEqual([])
})

test('a name that does not exist, and a server that is silent, are failures that say which', async () => {
  await expect(resolver.resolve('no.example', ipv4Preferred)).rejects.toMatchObject({
    code: 'NAME_UNRESOLVED',
    message: expect.stringContaining('no.example has no address: ENOTFOUND') as string,
  })
  server.silent = true
  server.asked.length = 0
  await expect(resolver.resolve('both.example', ipv4Preferred)).rejects.toMatchObject({
    message: expect.stringContaining('ETIMEOUT') as string,
  })
  // One name in one family: the rest would only take longer.
  expect(new Set(server.asked)).toEqual(new Set(['both.example 4']))
  server.silent = false
})

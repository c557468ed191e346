/** Whether we and nghttp2 made the same of the same blocks, or have a reason not to. */
import type { Buffer } from 'node:buffer'
import { HpackDecoder } from '../../proxy/http2/hpack/decoder.ts'
import type { HeaderBlock } from '../../proxy/http2/hpack/header-block.ts'
import { HpackError } from '../../proxy/http2/hpack/hpack-error.ts'
import { type BlockOutcome, nodeMaxFields, readByNode } from './nghttp2-server.ts'

const protocolError = 1
const compressionError = 9
const enhanceYourCalm = 11

/** A block whose list we refuse, and what is in it. */
type TooLarge = { readonly list: HeaderBlock }
type Ours = HeaderBlock | HpackError | TooLarge

/** Where we differ on purpose, each with a block on which we do. */
export const hpackDifferences = {
  'a third table size update': {
    reason: 'RFC 7541 4.2 has a use for two, the smallest and the final one; nghttp2 takes any number',
    example: '202020828684410161',
  },
  'te twice': {
    reason: 'a second line says nothing that the first may not; nghttp2 takes it',
    example: `828684410161${'0002746508747261696c657273'.repeat(2)}`,
  },
  'a field that is no field': {
    reason:
      'Node drops it and serves the rest; what is left may mean something else, and RFC 9113 8.2.1 wants it refused',
    example: '8286844101610003782d61020a62',
  },
} as const

export type HpackDifference = keyof typeof hpackDifferences

/** Whose values nghttp2 looks into: what it thinks of them is for the codec to compare, and not for HPACK. */
const messageFields = /^(?:host|content-length|priority)$/
const nameRule = /^[!#$%&'*+.^_`|~0-9a-z-]+$/
const valueRule = /^(?:[!-~\x80-\xff](?:[ \t!-~\x80-\xff]*[!-~\x80-\xff])?)?$/

function pairs(fields: readonly string[]): readonly (readonly [string, string])[] {
  return fields.flatMap((name, i) => (i % 2 === 0 ? [[name, fields[i + 1] as string] as const] : []))
}

/** Names and values, pseudo-headers first and by name; `valid`: without fields that are none. */
function listOf(block: HeaderBlock, valid: boolean): readonly string[] {
  const pseudo = (['authority', 'method', 'path', 'protocol', 'scheme', 'status'] as const).flatMap(
    (name) => {
      const value = block[name]
      return value === undefined ? [] : [`:${name}: ${value}`]
    },
  )
  const fields = pairs(block.fields).filter(
    ([name, value]) =>
      !messageFields.test(name) && (!valid || (nameRule.test(name) && valueRule.test(value))),
  )
  return [...pseudo, ...fields.map(([name, value]) => `${name}: ${value}`)]
}

function nodeList(fields: readonly string[]): readonly string[] {
  const all = pairs(fields).flatMap(([name, value]) =>
    messageFields.test(name) ? [] : [`${name}: ${value}`],
  )
  return [
    ...all.filter((line) => line.startsWith(':')).toSorted(),
    ...all.filter((line) => !line.startsWith(':')),
  ]
}

/** Nothing but the plainest request: what nghttp2 thinks of such messages is not the codec's of blocks to say. */
function isPlainRequest(block: HeaderBlock): boolean {
  const { method, scheme, path, authority, status, protocol } = block
  return (
    method === 'GET' &&
    scheme === 'http' &&
    path === '/' &&
    authority === 'a' &&
    status === undefined &&
    protocol === undefined &&
    !block.fields.some((name, i) => i % 2 === 0 && messageFields.test(name))
  )
}

/** The difference that explains the two outcomes; undefined: there is none. Throws where nothing does. */
function compareOne(ours: Ours, node: BlockOutcome): HpackDifference | undefined {
  const text = (): string => `ours ${describe(ours)}, Node's ${JSON.stringify(node)}`
  if ('list' in ours) {
    if (node.kind === 'reset' && (node.code === enhanceYourCalm || node.code === protocolError))
      return undefined
    // What Node drops it does not count.
    if (
      node.kind === 'request' &&
      JSON.stringify(listOf(ours.list, true)) === JSON.stringify(nodeList(node.fields))
    )
      return 'a field that is no field'
    throw new Error(text())
  }
  if (ours instanceof HpackError) {
    if (node.kind === 'connection' && node.code === compressionError) return undefined
    if (ours.message === 'too many table size updates') return 'a third table size update'
    throw new Error(text())
  }
  if (node.kind === 'reset') {
    if (ours.malformed !== undefined || !isPlainRequest(ours)) return undefined
    throw new Error(text())
  }
  if (node.kind !== 'request') throw new Error(text())
  const theirs = JSON.stringify(nodeList(node.fields))
  if (ours.malformed === undefined && JSON.stringify(listOf(ours, false)) === theirs) return undefined
  if (ours.malformed === undefined || JSON.stringify(listOf(ours, true)) !== theirs) throw new Error(text())
  return ours.malformed === 'te other than trailers' ? 'te twice' : 'a field that is no field'
}

function describe(ours: Ours): string {
  if (ours instanceof HpackError) return `${ours.kind} ${ours.message}`
  if ('list' in ours) return `too large: ${JSON.stringify(listOf(ours.list, false))}`
  return JSON.stringify([ours.malformed, listOf(ours, false)])
}

/** The block; undefined: its list is too large. */
function withinLimits(decoder: HpackDecoder, block: Buffer): HeaderBlock | undefined {
  try {
    return decoder.decode(block, 0, block.length)
  } catch (error) {
    if (error instanceof HpackError && error.kind === 'list-too-large') return undefined
    throw error
  }
}

/** Reads the blocks, one after the other, up to the one that ends the connection. */
function readOurselves(blocks: readonly Buffer[]): readonly Ours[] {
  const decoder = new HpackDecoder(4096, { maxListBytes: 65_535, maxFields: nodeMaxFields })
  const unlimited = new HpackDecoder(4096, { maxListBytes: 2 ** 30, maxFields: 2 ** 20 })
  const all: Ours[] = []
  for (const block of blocks) {
    try {
      const list = unlimited.decode(block, 0, block.length)
      all.push(withinLimits(decoder, block) ?? { list })
    } catch (error) {
      if (!(error instanceof HpackError)) throw error
      all.push(error)
      break
    }
  }
  return all
}

/** Gives the differences that were needed to explain what both made of the blocks; throws for any other. */
export async function compareBlocks(blocks: readonly Buffer[]): Promise<readonly HpackDifference[]> {
  const ours = readOurselves(blocks)
  const theirs = await readByNode(blocks)
  return ours.flatMap((one, i) => {
    try {
      return compareOne(one, theirs[i] as BlockOutcome) ?? []
    } catch (error) {
      throw new Error(`block ${i}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      })
    }
  })
}

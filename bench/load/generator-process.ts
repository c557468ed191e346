/** The process that loads of ours run in: told by messages what to do, and kept between runs so that it is warm. */
import { Worker } from 'node:worker_threads'
import { encodeIntoCompressedBase64 } from 'hdr-histogram-js'
import type { Protocol } from '../peer.ts'
import { type HandshakeLoad, Handshakes } from './handshakes.ts'
import type { H2loadLoad } from './h2load.ts'
import { Http2OpenLoop } from './http2-open-loop.ts'
import { OpenLoop, type OpenLoopLoad } from './open-loop.ts'
import { UniqueFields } from './unique-fields.ts'

export type GeneratedLoad =
  | ({ readonly kind: 'open-loop'; readonly protocol: Protocol } & OpenLoopLoad)
  | ({ readonly kind: 'unique-fields' } & H2loadLoad)
  | ({ readonly kind: 'handshakes' } & HandshakeLoad)

export type GeneratorCommand =
  | { readonly kind: 'prepare'; readonly load: GeneratedLoad }
  | { readonly kind: 'run' }

export type GeneratedCount = {
  readonly completed: number
  readonly errors: number
  readonly reasons: Readonly<Record<string, number>>
  /** Of an open loop. */
  readonly reconnects?: number
  /** Of an open loop: HDR histograms, compressed, base64. */
  readonly latencyUs?: string
  readonly latenessUs?: string
}

export type GeneratorAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'done'; readonly count: GeneratedCount }

const pacer = new Worker(new URL('./pacer-thread.ts', import.meta.url))
let prepared: (() => Promise<GeneratedCount>) | undefined

async function prepare(load: GeneratedLoad): Promise<() => Promise<GeneratedCount>> {
  if (load.kind === 'handshakes') {
    const handshakes = new Handshakes(load)
    await handshakes.prepare()
    return () => handshakes.run()
  }
  if (load.kind === 'unique-fields') {
    const streams = new UniqueFields(load)
    await streams.prepare()
    return () => streams.run()
  }
  const loop = load.protocol === 'http2' ? new Http2OpenLoop(load) : new OpenLoop(load)
  await loop.prepare()
  return async () => ({
    ...(await loop.run(pacer)),
    latencyUs: encodeIntoCompressedBase64(loop.tally.latencyUs),
    latenessUs: encodeIntoCompressedBase64(loop.tally.latenessUs),
  })
}

async function obey(command: GeneratorCommand): Promise<GeneratorAnswer> {
  if (command.kind === 'prepare') {
    prepared = await prepare(command.load)
    return { kind: 'ready' }
  }
  if (prepared === undefined) throw new Error('nothing is prepared')
  const run = prepared
  prepared = undefined
  return { kind: 'done', count: await run() }
}

async function answer(command: GeneratorCommand): Promise<void> {
  const given = await obey(command).catch(
    (error: unknown): GeneratorAnswer => ({ kind: 'failed', reason: String(error) }),
  )
  process.send?.(given)
}

process.on('message', (command: GeneratorCommand) => void answer(command))
process.on('disconnect', () => process.exit(0))

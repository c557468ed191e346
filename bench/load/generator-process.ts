/** The process that an open loop runs in: told by messages what to do, and kept between runs so that it is warm. */
import { Worker } from 'node:worker_threads'
import { encodeIntoCompressedBase64 } from 'hdr-histogram-js'
import { OpenLoop, type OpenLoopCount, type OpenLoopLoad } from './open-loop.ts'

export type GeneratorCommand =
  | { readonly kind: 'prepare'; readonly load: OpenLoopLoad }
  | { readonly kind: 'run' }

export type GeneratorAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly reason: string }
  | {
      readonly kind: 'done'
      readonly count: OpenLoopCount
      /** HDR histograms, compressed, base64. */
      readonly latencyUs: string
      readonly latenessUs: string
    }

const pacer = new Worker(new URL('./pacer-thread.ts', import.meta.url))
let loop: OpenLoop | undefined

async function obey(command: GeneratorCommand): Promise<GeneratorAnswer> {
  if (command.kind === 'prepare') {
    loop = new OpenLoop(command.load)
    await loop.prepare()
    return { kind: 'ready' }
  }
  if (loop === undefined) throw new Error('nothing is prepared')
  const count = await loop.run(pacer)
  return {
    kind: 'done',
    count,
    latencyUs: encodeIntoCompressedBase64(loop.latencyUs),
    latenessUs: encodeIntoCompressedBase64(loop.latenessUs),
  }
}

async function answer(command: GeneratorCommand): Promise<void> {
  const given = await obey(command).catch(
    (error: unknown): GeneratorAnswer => ({ kind: 'failed', reason: String(error) }),
  )
  process.send?.(given)
}

process.on('message', (command: GeneratorCommand) => void answer(command))
process.on('disconnect', () => process.exit(0))

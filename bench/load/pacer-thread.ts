/** Wakes its parent thread at fixed times: a thread that sleeps is exact to 0.1 ms, a timer of an event loop to 1 ms. */
import { parentPort } from 'node:worker_threads'
import { sharedNowMs } from './shared-clock.ts'

export type Pace = { readonly startMs: number; readonly intervalMs: number; readonly count: number }

const never = new Int32Array(new SharedArrayBuffer(4))

function keep({ startMs, intervalMs, count }: Pace): void {
  for (let i = 0; i < count; i++) {
    const waitMs = startMs + i * intervalMs - sharedNowMs()
    if (waitMs > 0) Atomics.wait(never, 0, 0, waitMs)
    parentPort?.postMessage(i)
  }
}

parentPort?.on('message', keep)

/** `weft split watch`: the splits as they are, again and again until it is ended. */
import { pause } from './until-ended.ts'

export type WatchParts = {
  readonly read: () => Promise<string>
  readonly write: (text: string) => void
  readonly intervalMs: number
  /** Draws over what it drew before; else only what changed is written, one after the other. */
  readonly terminal: boolean
  readonly signal: AbortSignal
}

const clearScreen = '\u001b[2J\u001b[H'

/** Resolves when `signal` ends it. Rejects as `read` does the first time; later it says so and goes on. */
export async function watchSplits({ read, write, intervalMs, terminal, signal }: WatchParts): Promise<void> {
  let before = await read()
  write(terminal ? clearScreen + before : before)
  while (!signal.aborted) {
    await pause(intervalMs, signal)
    if (signal.aborted) return
    const now = await read().catch(
      (error: unknown) => `${error instanceof Error ? error.message : String(error)}\n`,
    )
    if (now === before) continue
    before = now
    write(terminal ? clearScreen + now : `\n${now}`)
  }
}

/** How V8 compiles a sidecar's code. */
import { setFlagsFromString } from 'node:v8'

/**
 * For the whole process, from the next function that gets hot. V8's middle compiler (Maglev) is soon done, and what it made
 * stays in use for long: after 50,000 requests most of the hot path was still its code, which is larger and slower. Without
 * it a function stays with the first compiler until the last one takes it.
 */
export function setUpCompilation(): void {
  setFlagsFromString('--no-maglev')
}

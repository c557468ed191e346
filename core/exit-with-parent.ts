/** Ends a process when the one that started it does, however that came to its end. */

/**
 * With WEFT_EXIT_WITH_PARENT set, the end of standard input ends the process: the parent holds the other end of that
 * pipe, and the kernel closes it even when the parent was killed.
 */
export function exitWithParent(env: Readonly<Record<string, string | undefined>>): void {
  if (env['WEFT_EXIT_WITH_PARENT'] !== '1') return
  process.stdin.on('end', () => process.exit(0))
  process.stdin.on('error', () => process.exit(0))
  process.stdin.resume()
  // Waiting for it is no reason to stay.
  process.stdin.unref?.()
}

/**
 * How long a test waits for a state by `expect.poll` unless it says otherwise. Vitest's own second is no proof of anything: a
 * machine that does other things too takes longer now and then. What a test says about time it measures itself.
 */
export const patience = { poll: { timeout: 15_000 } } as const

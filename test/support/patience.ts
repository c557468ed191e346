/**
 * How long a test waits for a state by `expect.poll` unless it says otherwise. Vitest's own second is no proof of anything: a
 * machine that does other things too takes longer now and then. What a test says about time it measures itself. It looks
 * more often than Vitest would, too: thousands of waits end on the way.
 */
export const patience = { poll: { timeout: 15_000, interval: 10 } } as const

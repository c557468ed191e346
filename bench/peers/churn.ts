export type Churn = {
  readonly changesPerSecond: number
  /** Puts the one or the other configuration in force. */
  readonly change: (rollout: boolean) => void
  /** How many updates the proxy has accepted so far. */
  readonly applied: () => Promise<number>
}

/** Changes the configuration again and again until what it gives is called; that rejects when they were not applied. */
export async function churnConfiguration({
  changesPerSecond,
  change,
  applied,
}: Churn): Promise<() => Promise<void>> {
  const before = await applied()
  let changes = 0
  const timer = setInterval(() => {
    changes++
    change(changes % 2 === 1)
  }, 1000 / changesPerSecond)
  return async () => {
    clearInterval(timer)
    change(false)
    const accepted = (await applied()) - before
    if (accepted < changes)
      throw new Error(`of ${changes} changes of the configuration ${accepted} reached the proxy`)
  }
}

/** Self time by function, from a .cpuprofile as V8 writes it. Pure. */

export type CallFrame = {
  readonly functionName: string
  readonly url: string
  /** From 0; -1 where there is no source. */
  readonly lineNumber: number
  readonly columnNumber: number
}

export type CpuProfile = {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[]
  /** Id of the node that was running, at each sample. */
  readonly samples: readonly number[]
  /** Microseconds from the sample before. */
  readonly timeDeltas: readonly number[]
}

export type SelfTime = { readonly functionName: string; readonly place: string; readonly selfUs: number }

const idle = '(idle)'

/** The functions with the most self time first; idle time is left out. */
export function selfTimes({ nodes, samples, timeDeltas }: CpuProfile): SelfTime[] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const sums = new Map<string, SelfTime>()
  samples.forEach((id, i) => {
    const frame = frames.get(id)
    if (frame === undefined || frame.functionName === idle) return
    const { functionName, url, lineNumber } = frame
    const place = url === '' ? '' : `${url}:${lineNumber + 1}`
    const key = `${functionName} ${place}`
    // A sample stands for the time until the next one.
    const selfUs = (sums.get(key)?.selfUs ?? 0) + Math.max(0, timeDeltas[i + 1] ?? 0)
    sums.set(key, { functionName: functionName || '(anonymous)', place, selfUs })
  })
  return [...sums.values()].toSorted((a, b) => b.selfUs - a.selfUs)
}

/** The `count` largest as a table, in percent of the busy time and in microseconds per request. */
export function formatSelfTimes(times: readonly SelfTime[], requests: number, count: number): string {
  const totalUs = times.reduce((sum, { selfUs }) => sum + selfUs, 0)
  const row = (selfUs: number, name: string, place: string): string =>
    `${((100 * selfUs) / totalUs).toFixed(1).padStart(6)} % ${(selfUs / requests).toFixed(2).padStart(8)} us  ` +
    `${name.padEnd(32)} ${place}`.trimEnd()
  return [
    row(totalUs, 'all that is not idle', ''),
    ...times.slice(0, count).map(({ selfUs, functionName, place }) => row(selfUs, functionName, place)),
  ].join('\n')
}

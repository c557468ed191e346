/** Lists of ports as people write them: `25,587,4567-4568`. */

/** Both ends are part of it. */
export type PortRange = { readonly from: number; readonly to: number }

export function includesPort(ranges: readonly PortRange[], port: number): boolean {
  return ranges.some(({ from, to }) => from <= port && port <= to)
}

/** As `parsePortRanges` reads it. */
export function formatPortRanges(ranges: readonly PortRange[]): string {
  return ranges.map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`)).join(',')
}

/** Reads a list; undefined when some part of it is no port or range of ports. The empty text is the empty list. */
export function parsePortRanges(text: string): readonly PortRange[] | undefined {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
  const ranges: PortRange[] = []
  for (const part of parts) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part)
    const from = Number(match?.[1])
    const to = Number(match?.[2] ?? match?.[1])
    if (match === null || from < 1 || to > 65_535 || from > to) return undefined
    ranges.push({ from, to })
  }
  return ranges
}

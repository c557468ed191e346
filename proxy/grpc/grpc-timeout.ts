/** The `grpc-timeout` of a call. Pure. */

const unitMs = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 } as const
const largest = 99_999_999

/** In milliseconds, fractions too; undefined for what is no timeout: it is not obeyed. */
export function parseGrpcTimeout(text: string): number | undefined {
  const match = /^([0-9]{1,8})([HMSmun])$/.exec(text)
  return match === null ? undefined : Number(match[1]) * unitMs[match[2] as keyof typeof unitMs]
}

/** In the finest of the usual units that has room for it, rounded up; nothing left is `0n`. */
export function formatGrpcTimeout(ms: number): string {
  if (ms <= 0) return '0n'
  for (const unit of ['u', 'm', 'S', 'M'] as const) {
    const count = Math.ceil(ms / unitMs[unit])
    if (count <= largest) return `${count}${unit}`
  }
  return `${Math.min(Math.ceil(ms / unitMs.H), largest)}H`
}

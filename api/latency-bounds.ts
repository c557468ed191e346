/** Upper bounds in milliseconds of the buckets that latencies are counted in, Linkerd's; one more is for what is above. */
export const latencyBoundsMs = [
  1, 2, 3, 4, 5, 10, 20, 30, 40, 50, 100, 200, 300, 400, 500, 1000, 2000, 3000, 4000, 5000, 10_000, 20_000,
  30_000, 40_000, 50_000,
] as const

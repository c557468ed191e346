// gRPC's statuses: their names, and which of them say that a server failed.

/** By number (grpc/statuscodes). */
export const grpcStatusNames = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const

export type GrpcStatusName = (typeof grpcStatusNames)[number]

/** Linkerd's: the rest is what callers ask for, or the application's way to say no. */
const failed: ReadonlySet<GrpcStatusName> = new Set([
  'UNKNOWN',
  'DEADLINE_EXCEEDED',
  'PERMISSION_DENIED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
])

/** Whether a call with this status went wrong on the server's side. */
export function isFailedCall(name: GrpcStatusName): boolean {
  return failed.has(name)
}

/** The status that a person means by its name, in any case and with `-` or `_`, or by its number; undefined: none. */
export function grpcStatusNamed(text: string): GrpcStatusName | undefined {
  const name = text.toUpperCase().replaceAll('-', '_')
  return grpcStatusNames.find((known, number) => known === name || String(number) === text)
}

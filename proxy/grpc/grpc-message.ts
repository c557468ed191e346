/** A `grpc-message`: UTF-8, with everything outside of printable ASCII, and `%`, percent-encoded. Pure. */
export function encodeGrpcMessage(text: string): string {
  // A lone surrogate has no encoding.
  return text
    .toWellFormed()
    .replace(/[^ -$&-~]+/g, (part) =>
      Array.from(Buffer.from(part), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(
        '',
      ),
    )
}

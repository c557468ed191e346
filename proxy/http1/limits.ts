/** What one HTTP/1.1 message may cost. The figures are Envoy's defaults where it has them. */

/** Start line and fields of one head, in bytes: 431 from a client (414 when the first line alone is longer), 502 from an upstream. */
export const maxHeadBytes = 60 * 1024
export const maxHeaderCount = 100
/** Chunk size lines with their extensions, all of one message together: an extension is never needed, only paid for. */
export const maxChunkLineBytes = 4 * 1024
export const maxChunkExtensionBytes = 16 * 1024
/** Interim replies before the final one. */
export const maxInterimReplies = 8
/** Bytes of pipelined requests held while one is in flight; reading pauses there. */
export const maxPipelinedBytes = 64 * 1024

/** What one HTTP/2 connection may cost. */

/** Decoded, with 32 bytes for each field (RFC 9113 6.5.2); 431 from a client, 502 from an upstream. */
export const maxHeaderListBytes = 64 * 1024
/** Of a head in HTTP/1's form, as long as HTTP/1 takes one from anybody. */
export const maxTextHeadBytes = 60 * 1024
/** Cookie crumbs count one by one. */
export const maxHeaderFields = 256
/** Of all requests that are open on a connection: a block of a few bytes can stand for the longest list. */
export const maxOpenHeadBytes = 2 * 1024 * 1024
/** The same of another sidecar, for all of its clients. */
export const maxOpenMeshHeadBytes = 8 * 1024 * 1024
/** Of one block, before it is decoded. */
export const maxBlockBytes = 2 * maxHeaderListBytes
/** A block of that size needs eight. */
export const maxContinuations = 16
/** Streams that a client may have open at once. */
export const maxConcurrentStreams = 256
/** The same of another sidecar, for all of its clients: those that stand still must not take the place of others. */
export const maxConcurrentMeshStreams = 1000
/** Streams that we open at once on one connection, whatever the peer allows. */
export const maxStreamsToPeer = 1000
/**
 * Windows are no round numbers, as content often is: node:http2 closes its stream (RST_STREAM without an error) instead of
 * ending it where the last byte has used up a window, and then nobody knows whether that was all.
 */
const windowUnitBytes = 16 * 1024 + 9
/** What is advertised for a stream at first, and for the connection. */
export const initialStreamWindowBytes = 16 * windowUnitBytes
export const initialConnectionWindowBytes = 4 * initialStreamWindowBytes
/** A stream that moves fast gets a larger one, up to this; the connection's grows with it (flow-limits.ts). */
export const maxStreamWindowBytes = 16 * initialStreamWindowBytes
/** What every stream gets where much stands still. */
export const loweredStreamWindowBytes = windowUnitBytes
/** Waits to be written while the peer does not read: answers to its own frames, so it decides how much. */
export const maxUnsentBytes = 1024 * 1024
/** An id above this is not given out: a fresh connection costs less than running out of them. */
export const lastFreshStreamId = 2 ** 30
export const maxSettingsEntries = 32
/** Messages with bodies up to this size that arrive at once are strings, and never streams. */
export const inlineBodyBytes = 16 * 1024
/** Interim replies before the final one. */
export const maxInterimReplies = 8
export const settingsTimeoutMs = 10_000
/** From the first GOAWAY to the second, where the peer does not answer the PING between them. */
export const drainPingTimeoutMs = 5_000
/** How long a closed connection goes on to be read, so that a RST does not overtake the last GOAWAY; of who broke the rules, with the sweep less than a second. */
export const lingerMs = 1_000
export const faultLingerMs = 400

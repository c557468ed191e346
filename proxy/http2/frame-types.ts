/** Numbers of RFC 9113: frame types, flags, error codes and settings. */

export const dataFrame = 0
export const headersFrame = 1
export const priorityFrame = 2
export const resetFrame = 3
export const settingsFrame = 4
export const pushPromiseFrame = 5
export const pingFrame = 6
export const goawayFrame = 7
export const windowUpdateFrame = 8
export const continuationFrame = 9

export const endStreamFlag = 0x1
export const ackFlag = 0x1
export const endHeadersFlag = 0x4
export const paddedFlag = 0x8
export const priorityFlag = 0x20

export const frameHeaderBytes = 9
/** What we take, and what we send: the default of SETTINGS_MAX_FRAME_SIZE, and the least that a peer may ask for. */
export const maxFrameBytes = 16_384
/** Content of the DATA frames that we make: with its header a frame then is one TLS record, and four are one slab. */
export const maxDataBytes = maxFrameBytes - frameHeaderBytes
export const largestWindow = 0x7fff_ffff
export const largestStreamId = 0x7fff_ffff
/** Of both windows, before anybody has said otherwise. */
export const defaultWindowBytes = 65_535

export const clientPreface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

/** Section 7. */
export const errorCode = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  connectError: 10,
  enhanceYourCalm: 11,
  inadequateSecurity: 12,
  http11Required: 13,
} as const

/** Section 6.5.2, and of RFC 8441 and RFC 9218 the two whose values can be wrong. */
export const setting = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
  enableConnectProtocol: 8,
  noPriorities: 9,
} as const

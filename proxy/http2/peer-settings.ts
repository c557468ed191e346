/** What the peer's SETTINGS say (RFC 9113 6.5.2): checked, in their order. */
import type { Buffer } from 'node:buffer'
import { ConnectionFault } from './faults.ts'
import { defaultWindowBytes, errorCode, largestWindow, maxFrameBytes, setting } from './frame-types.ts'

const largestFrameBytes = 0xff_ffff
const defaultTableBytes = 4096

export class PeerSettings {
  headerTableBytes = defaultTableBytes
  maxConcurrentStreams = Number.POSITIVE_INFINITY
  initialWindowBytes = defaultWindowBytes
  takesConnectProtocol = false

  /** Takes the entries in payload[from, to) over; `onWindow` is told each change of the initial window. Throws ConnectionFault. */
  apply(payload: Buffer, from: number, to: number, byServer: boolean, onWindow: (by: number) => void): void {
    for (let at = from; at < to; at += 6)
      this.#set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2), byServer, onWindow)
  }

  #set(name: number, value: number, byServer: boolean, onWindow: (by: number) => void): void {
    switch (name) {
      case setting.headerTableSize:
        this.headerTableBytes = value
        return
      case setting.enablePush:
        if (value > 1 || (byServer && value === 1)) throw malformed('ENABLE_PUSH')
        return
      case setting.maxConcurrentStreams:
        this.maxConcurrentStreams = value
        return
      case setting.initialWindowSize: {
        if (value > largestWindow)
          throw new ConnectionFault(errorCode.flowControlError, 'INITIAL_WINDOW_SIZE is too large')
        const by = value - this.initialWindowBytes
        this.initialWindowBytes = value
        onWindow(by)
        return
      }
      case setting.maxFrameSize:
        if (value < maxFrameBytes || value > largestFrameBytes) throw malformed('MAX_FRAME_SIZE')
        return
      case setting.enableConnectProtocol:
        if (value > 1 || (value === 0 && this.takesConnectProtocol))
          throw malformed('ENABLE_CONNECT_PROTOCOL')
        this.takesConnectProtocol = value === 1
        return
      case setting.noPriorities:
        if (value > 1) throw malformed('NO_RFC7540_PRIORITIES')
        return
      default:
      // MAX_HEADER_LIST_SIZE is advice, and a tiny one would have us reset every stream; what is unknown is ignored.
    }
  }
}

function malformed(name: string): ConnectionFault {
  return new ConnectionFault(errorCode.protocolError, `${name} has a value that it cannot have`)
}

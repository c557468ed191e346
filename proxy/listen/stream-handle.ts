/**
 * Node's own handle below a socket. Its stream layers cost a request more than all of our parsing, so a wire reads and
 * writes here and leaves opening, ending and closing to the socket. Semi-private, hence looked at before it is used:
 * where it is not as expected, a wire goes through the socket as everybody does.
 */
import { Buffer } from 'node:buffer'
import type net from 'node:net'
import { getSystemErrorName } from 'node:util'

type WriteRequest = { oncomplete?: (status: number) => void; buffer?: readonly Piece[] | undefined }
type Handle = {
  onread: (this: Handle, bytes: ArrayBuffer | undefined) => unknown
  /** Whether it reads; the socket goes by it. */
  reading: boolean
  readStart(): number
  readStop(): number
  useUserBuffer(buffer: Buffer): void
  writeLatin1String(request: WriteRequest, text: string): number
  writeBuffer(request: WriteRequest, bytes: Buffer): number
  writev(request: WriteRequest, pieces: readonly unknown[], allBuffers: boolean): number
}
type Binding = {
  readonly WriteWrap: new () => WriteRequest
  readonly streamBaseState: Int32Array
  readonly kReadBytesOrError: number
  readonly kArrayBufferOffset: number
  readonly kLastWriteWasAsync: number
}

function findBinding(): Binding | undefined {
  try {
    const { binding } = process as unknown as { binding?: (name: string) => Partial<Binding> }
    const found = binding?.call(process, 'stream_wrap')
    const complete =
      typeof found?.WriteWrap === 'function' &&
      found.streamBaseState instanceof Int32Array &&
      typeof found.kReadBytesOrError === 'number' &&
      typeof found.kArrayBufferOffset === 'number' &&
      typeof found.kLastWriteWasAsync === 'number'
    return complete ? (found as Binding) : undefined
  } catch {
    // A Node that does not let us: the socket does all of it.
    return undefined
  }
}

const nodeBinding = findBinding()

const reads = ['onread', 'readStart', 'readStop', 'useUserBuffer'] as const
const writes = ['writeLatin1String', 'writeBuffer', 'writev'] as const
const methods = [...reads, ...writes]

function isHandle(handle: unknown): handle is Handle {
  return methods.every((name) => typeof (handle as Partial<Handle> | null)?.[name] === 'function')
}

export type Piece = string | Buffer
/** What had to wait was taken, or will never be. */
export type OnTaken = (error: Error | undefined) => void

export class StreamHandle {
  readonly #handle: Handle
  readonly #binding: Binding
  readonly #onread: Handle['onread']
  readonly #onComplete: (status: number) => void
  /** Only a write that does not end at once keeps its request, until its end has been told. */
  #request: WriteRequest
  #otherRequest: WriteRequest | undefined
  /** Given to the kernel, or to TLS, and not taken yet. */
  queuedBytes = 0

  private constructor(handle: Handle, binding: Binding, onTaken: OnTaken) {
    this.#handle = handle
    this.#binding = binding
    this.#onread = handle.onread
    this.#onComplete = (status) => {
      this.queuedBytes = 0
      if (this.#otherRequest !== undefined) this.#otherRequest.buffer = undefined
      onTaken(status < 0 ? systemError(status) : undefined)
    }
    this.#request = this.#makeRequest()
  }

  /** The handle of a connected socket, or undefined where it cannot be used. */
  static of(socket: net.Socket, onTaken: OnTaken): StreamHandle | undefined {
    const { _handle: handle } = socket as unknown as { _handle: unknown }
    if (nodeBinding === undefined || !isHandle(handle)) return undefined
    return new StreamHandle(handle, nodeBinding, onTaken)
  }

  /**
   * Takes what is read into `buffer` while `flows` says that nothing waits in the socket; else the socket gets a copy.
   * Saves an ArrayBuffer per read.
   */
  readInto(buffer: Buffer, flows: () => boolean, onBytes: (buffer: Buffer, end: number) => void): void {
    const { streamBaseState, kReadBytesOrError, kArrayBufferOffset } = this.#binding
    const onread = this.#onread
    this.#handle.useUserBuffer(buffer)
    this.#handle.onread = function readInto() {
      const count = streamBaseState[kReadBytesOrError] as number
      if (count > 0 && flows()) {
        onBytes(buffer, count)
        return undefined
      }
      streamBaseState[kArrayBufferOffset] = 0
      return onread.call(this, count > 0 ? copyOf(buffer, count) : undefined)
    }
  }

  /** Stops reading at once: the socket by itself would first fill its buffer. */
  pause(): void {
    if (!this.#handle.reading) return
    this.#handle.reading = false
    this.#handle.readStop()
  }

  resume(): void {
    if (this.#handle.reading) return
    this.#handle.reading = true
    this.#handle.readStart()
  }

  /** Gives reading back to the socket. */
  release(): void {
    this.#handle.onread = this.#onread
  }

  /**
   * Writes `pieces` (text as latin1), `bytes` in all, in one call. Returns why it cannot, or undefined. While
   * `queuedBytes` is above zero nothing more may be written (TLS takes one write at a time); `onTaken` tells the end of
   * that, or a failure.
   */
  write(pieces: readonly Piece[], bytes: number): Error | undefined {
    const request = this.#request
    this.queuedBytes = bytes
    const status = this.#dispatch(request, pieces)
    const { streamBaseState, kLastWriteWasAsync } = this.#binding
    if (status === 0 && streamBaseState[kLastWriteWasAsync] !== 0) {
      // It keeps the pieces alive until the kernel has them.
      request.buffer = pieces
      this.#request = this.#otherRequest ?? this.#makeRequest()
      this.#otherRequest = request
      return undefined
    }
    this.queuedBytes = 0
    return status === 0 ? undefined : systemError(status)
  }

  #makeRequest(): WriteRequest {
    const request = new this.#binding.WriteWrap()
    // Set before it is used: TLS tells a failure during the call.
    request.oncomplete = this.#onComplete
    return request
  }

  #dispatch(request: WriteRequest, pieces: readonly Piece[]): number {
    const [first] = pieces
    if (pieces.length > 1) {
      const flat: Piece[] = []
      for (const piece of pieces) flat.push(piece, typeof piece === 'string' ? 'latin1' : 'buffer')
      return this.#handle.writev(request, flat, false)
    }
    if (first === undefined) return 0
    return typeof first === 'string'
      ? this.#handle.writeLatin1String(request, first)
      : this.#handle.writeBuffer(request, first)
  }
}

function copyOf(buffer: Buffer, end: number): ArrayBuffer {
  return buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + end) as ArrayBuffer
}

function systemError(status: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(status)
  return Object.assign(new Error(`write ${code}`), { code, errno: status, syscall: 'write' })
}

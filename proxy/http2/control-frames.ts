/** Frames of the connection itself: SETTINGS, PING, GOAWAY, and PRIORITY, which nobody follows any more. */
import type { Buffer } from 'node:buffer'
import { ConnectionFault, protocolError, sizeError } from './faults.ts'
import { idAt } from './frame-reader.ts'
import { ackFlag, errorCode } from './frame-types.ts'
import { maxSettingsEntries } from './limits.ts'
import type { Session } from './session.ts'

export class ControlFrames {
  readonly #session: Session
  /** The peer's settings are known. */
  settingsSeen = false
  /** Of ours, that the peer has not acknowledged. */
  settingsOwed = 1
  #goawayId = Number.POSITIVE_INFINITY

  constructor(session: Session) {
    this.#session = session
  }

  onSettings(flags: number, id: number, buffer: Buffer, from: number, to: number): void {
    const session = this.#session
    const length = to - from
    if (id !== 0) throw protocolError('SETTINGS for a stream')
    if ((flags & ackFlag) !== 0) {
      if (length !== 0) throw sizeError('SETTINGS acknowledges with a payload')
      if (this.settingsOwed === 0) throw protocolError('SETTINGS acknowledges nothing')
      this.settingsOwed--
      return
    }
    if (length % 6 !== 0) throw sizeError('SETTINGS has a wrong length')
    if (length / 6 > maxSettingsEntries)
      throw new ConnectionFault(errorCode.enhanceYourCalm, 'too many settings')
    if (this.settingsSeen) session.budgets.control.take(1 + length / 48)
    this.settingsSeen = true
    let windowBy = 0
    session.peer.apply(buffer, from, to, !session.isServer, (by) => {
      session.changeWindows(by)
      windowBy += by
    })
    session.out.settingsAck()
    session.answered()
    session.applied(windowBy)
    session.owner.onSettings()
  }

  onPing(flags: number, id: number, buffer: Buffer, from: number, length: number): void {
    const session = this.#session
    if (id !== 0) throw protocolError('PING for a stream')
    if (length !== 8) throw sizeError('PING has a wrong length')
    if ((flags & ackFlag) !== 0) {
      session.budgets.noise.take()
      session.owner.onPingAck()
      return
    }
    // One after DATA costs less than that did; gRPC's servers count in the same way.
    if (session.pingDue) session.pingDue = false
    else session.budgets.control.take()
    session.out.ping(buffer, from, ackFlag)
    session.answered()
  }

  onGoaway(id: number, buffer: Buffer, from: number, length: number): void {
    if (id !== 0) throw protocolError('GOAWAY for a stream')
    if (length < 8) throw sizeError('GOAWAY is too short')
    const lastId = idAt(buffer, from)
    if (lastId > this.#goawayId) throw protocolError('GOAWAY takes a stream back')
    this.#goawayId = lastId
    this.#session.budgets.noise.take()
    this.#session.owner.onGoaway(lastId, buffer.readUInt32BE(from + 4))
  }

  onPriority(id: number, buffer: Buffer, from: number, length: number): void {
    if (id === 0) throw protocolError('PRIORITY for no stream')
    if (length !== 5) throw sizeError('PRIORITY has a wrong length')
    if (idAt(buffer, from) === id) throw protocolError('a stream depends on itself')
    this.#session.budgets.noise.take()
  }
}

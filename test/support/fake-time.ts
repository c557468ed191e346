/** A wall clock that a test sets, for processes of its own: Debian's libfaketime. The monotonic clock stays as it is. */
import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** Debian puts it into a folder named after the architecture. */
export function fakeTimeLibrary(): string | undefined {
  const folders = existsSync('/usr/lib') ? readdirSync('/usr/lib') : []
  return folders
    .map((folder) => path.join('/usr/lib', folder, 'faketime/libfaketimeMT.so.1'))
    .find((file) => existsSync(file))
}

export type FakeTime = {
  /** For the processes. */
  readonly env: Readonly<Record<string, string>>
  /** How far their clock is from the machine's from now on, in seconds. */
  readonly set: (offsetSeconds: number) => void
}

export function fakeTime(folder: string): FakeTime {
  const file = path.join(folder, 'time')
  const set = (offsetSeconds: number): void => {
    // In one step, as it is read at any moment.
    writeFileSync(`${file}.new`, `${offsetSeconds < 0 ? '' : '+'}${offsetSeconds}`)
    renameSync(`${file}.new`, file)
  }
  set(0)
  const env = {
    LD_PRELOAD: fakeTimeLibrary() ?? '',
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  }
  return { env, set }
}

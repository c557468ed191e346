/** A process of the image as a cluster runs it: its root file system read-only, a user without any rights. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

const folder = process.env['WEFT_IMAGE'] ?? path.join(import.meta.dirname, '../../../.cache/image')
const rootfs = path.join(folder, 'rootfs')

/** Not root, and not a user that the image knows. */
export const imageUid = 65_532

/** What the Dockerfile says of how it is started. */
export type ImageConfig = {
  readonly User: string
  readonly WorkingDir: string
  readonly Entrypoint: readonly string[]
}

/** Whether `test/system/image/build` has made one. */
export function hasImage(): boolean {
  return existsSync(path.join(folder, 'image.json'))
}

export function imageConfig(): ImageConfig {
  const { Docker } = JSON.parse(readFileSync(path.join(folder, 'image.json'), 'utf8')) as {
    readonly Docker: { readonly config: ImageConfig }
  }
  return Docker.config
}

export type ImageRun = {
  /** Seen as /mnt; all else is read-only. */
  readonly shared: string
  readonly uid?: number
  /** Of these alone, when something in the image has them by its file. */
  readonly capabilities?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** A network namespace; this one's when it is left out. */
  readonly namespace?: string
}

/** In a mount namespace of its own, gone with it. */
const script = `
set -e
mount --make-rprivate /
mount --rbind "$ROOTFS" "$ROOTFS"
mount --bind "$SHARED" "$ROOTFS/mnt"
mount -t proc proc "$ROOTFS/proc"
mount -o remount,ro,bind "$ROOTFS"
cd "$ROOTFS"
exec chroot . "$@"
`

/** Starts it; it ends with this process. */
export function startInImage(args: readonly string[], given: ImageRun): ChildProcess {
  const { shared, uid = imageUid, capabilities = [], env = {}, namespace } = given
  const { Entrypoint, WorkingDir } = imageConfig()
  const isPrivileged = capabilities.length > 0
  const rights = [
    `--reuid=${uid}`,
    `--regid=${uid}`,
    '--clear-groups',
    `--bounding-set=${['-all', ...capabilities.map((name) => `+${name}`)].join()}`,
    ...(isPrivileged ? [] : ['--no-new-privs']),
  ]
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const inside = ['env', '-C', WorkingDir, ...variables, 'setpriv', ...rights, ...Entrypoint, ...args]
  const unshared = ['unshare', '--mount', 'sh', '-c', script, 'sh', ...inside]
  const [command = '', ...rest] =
    namespace === undefined ? unshared : ['ip', 'netns', 'exec', namespace, ...unshared]
  return spawn(command, rest, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], ROOTFS: rootfs, SHARED: shared, WEFT_EXIT_WITH_PARENT: '1' },
  })
}

export type Ended = { readonly status: number | null; readonly stdout: string; readonly stderr: string }

/** Runs it to its end. */
export async function runInImage(args: readonly string[], given: ImageRun): Promise<Ended> {
  const child = startInImage(args, given)
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.on('data', (piece: Buffer) => {
      texts[name] += piece.toString()
    })
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { status, ...texts }
}

/** The file system of a container: the machine's programs, the image's own, and the pod's volumes at their paths. */
import path from 'node:path'

export type Image = {
  /** Its programs, which come before the machine's. */
  readonly programs: string
  readonly entrypoint: readonly string[]
  readonly uid: number
  readonly workFolder: '/' | '/data'
  /** Further folders of the machine, by where the image has them. */
  readonly folders?: Readonly<Record<string, string>>
}

export type Mount = { readonly source: string; readonly target: string; readonly readOnly: boolean }

export const containerPath = '/image:/runtime:/usr/sbin:/usr/bin:/sbin:/bin'
const copiedOfEtc = 'alternatives passwd group nsswitch.conf ld.so.cache protocols services nginx'

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}

function bind({ source, target, readOnly }: Mount): readonly string[] {
  const at = quoted(target)
  return [
    `if [ -d ${quoted(source)} ]; then mkdir -p "$root"${at}; else mkdir -p "$root"${quoted(path.dirname(target))}; touch "$root"${at}; fi`,
    `mount --bind ${quoted(source)} "$root"${at}`,
    ...(readOnly ? [`mount -o remount,bind,ro "$root"${at}`] : []),
  ]
}

/** A shell script for a mount namespace of its own, that becomes `command` in a root made at the folder `root`. */
export function containerScript(
  root: string,
  mounts: readonly Mount[],
  readOnlyRoot: boolean,
  variables: ReadonlyMap<string, string>,
  workFolder: Image['workFolder'],
  command: readonly string[],
): string {
  const environment = [...variables].map(([name, value]) => quoted(`${name}=${value}`))
  return [
    'set -e',
    `root=${quoted(root)}`,
    'mount -t tmpfs -o mode=755 tmpfs "$root"',
    'cd "$root"',
    'mkdir -p etc var run tmp data usr proc dev sys',
    'chmod 1777 tmp data; ln -s ../run var/run',
    'for folder in usr proc dev sys; do mount --rbind /$folder $folder; done',
    'for link in bin sbin lib lib64; do if [ -L /$link ]; then cp -P /$link $link; fi; done',
    `for name in ${copiedOfEtc}; do if [ -e /etc/$name ]; then cp -aP /etc/$name etc/; fi; done`,
    ...mounts.flatMap(bind),
    ...(readOnlyRoot ? ['mount -o remount,bind,ro "$root"'] : []),
    `exec chroot "$root" env -i --chdir=${workFolder} PATH=${containerPath} ${environment.join(' ')} ${command.map(quoted).join(' ')}`,
  ].join('\n')
}

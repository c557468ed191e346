/** The images of the test's pods: folders with programs, in the place of registries. That of weft is made as the Dockerfile does. */
import { chmodSync, copyFileSync, cpSync, mkdirSync, readdirSync, realpathSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { bundleOf, bundleProcesses, processes } from '../../../deploy/bundle.ts'
import { run } from '../../system/network.ts'
import type { Image } from './container-root.ts'

const root = path.join(import.meta.dirname, '../../..')
const weftUid = 2103
const applicationUid = 65_534

/** Only iptables has rights, by its file. */
function addIptables(folder: string): void {
  for (const variant of ['nft', 'legacy']) {
    const binary = path.join(folder, `xtables-${variant}-multi`)
    copyFileSync(realpathSync(run('sh', ['-c', `command -v iptables-${variant}-restore`]).trim()), binary)
    run('setcap', ['cap_net_admin,cap_net_raw+ep', binary])
    for (const family of ['iptables', 'ip6tables'])
      for (const action of ['save', 'restore']) {
        symlinkSync(path.basename(binary), path.join(folder, `${family}-${variant}-${action}`))
        if (variant === 'nft') symlinkSync(path.basename(binary), path.join(folder, `${family}-${action}`))
      }
  }
}

async function makeWeft(folder: string): Promise<Image> {
  const [bundles, programs] = [path.join(folder, 'weft'), path.join(folder, 'weft-programs')]
  for (const made of [bundles, programs]) mkdirSync(made)
  await bundleProcesses()
  for (const name of processes) copyFileSync(bundleOf(name), path.join(bundles, `${name}.cjs`))
  const modules = path.join(root, 'node_modules')
  const native = readdirSync(path.join(modules, '@koromix')).filter((name) => name.startsWith('koffi-linux-'))
  for (const name of ['koffi', 're2js', ...native.map((entry) => `@koromix/${entry}`)])
    cpSync(path.join(modules, name), path.join(bundles, 'node_modules', name), { recursive: true })
  addIptables(programs)
  return { programs, entrypoint: ['node'], uid: weftUid, workFolder: '/', folders: { '/weft': bundles } }
}

function application(folder: string, name: string, entrypoint: readonly string[]): Image {
  const programs = path.join(folder, name)
  cpSync(path.join(import.meta.dirname, 'images', name), programs, { recursive: true })
  for (const file of readdirSync(programs)) chmodSync(path.join(programs, file), 0o755)
  return { programs, entrypoint, uid: applicationUid, workFolder: '/' }
}

/** All of them, in `folder`, which others than root can read. */
export async function makeImages(folder: string): Promise<Readonly<Record<string, Image>>> {
  const keeper = application(folder, 'keeper', [])
  return {
    weft: await makeWeft(folder),
    'example.org/keeper': keeper,
    'example.org/batch': application(folder, 'batch', ['node', '/image/batch.ts']),
    'example.org/web': application(folder, 'web', []),
    // As the real one: root, with a folder for its data.
    'example.org/redis': { ...keeper, entrypoint: ['redis-server'], uid: 0, workFolder: '/data' },
  }
}

// Runs a weft script on the pinned Node, installing the dependencies first when they are missing.
// Plain JavaScript, because it is the one file that the machine's own Node (20 or newer) has to run.
//   node cli/launch.mjs run FILE [ARG...]   a TypeScript file of this tree
//   node cli/launch.mjs bin NAME [ARG...]   a tool of a devDependency
//   node cli/launch.mjs install             nothing more
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const modules = path.join(root, 'node_modules')
const pinnedNode = path.join(modules, 'node', 'bin', 'node')

function packagesOf(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages
}

/** Whether everything is there that the lock file names, also after a pull that brought new dependencies. */
function isInstalled() {
  const installedFile = path.join(modules, '.package-lock.json')
  if (!existsSync(installedFile) || !existsSync(pinnedNode)) return false
  const installed = packagesOf(installedFile)
  // Optional ones are for other platforms.
  return Object.entries(packagesOf(path.join(root, 'package-lock.json'))).every(
    ([name, { version, optional }]) => name === '' || optional || installed[name]?.version === version,
  )
}

function installIfMissing() {
  if (isInstalled()) return
  process.stderr.write('weft: installing dependencies (npm install), once\n')
  // Not `npm ci`: it refuses a registry that lacks an optional package of some other platform. The lock file is read
  // all the same, and with --no-save it is not written.
  const npm = spawnSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, NODE_ENV: 'development' },
  })
  if (npm.status === 0 && existsSync(pinnedNode)) return
  process.stderr.write(
    'weft: npm install did not finish; see its message above, then run the same command again\n',
  )
  process.exit(1)
}

function toolFile(name) {
  const packageOf = { tsc: 'typescript', biome: '@biomejs/biome', vitest: 'vitest', oxlint: 'oxlint' }[name]
  if (packageOf === undefined) throw new Error(`launch.mjs knows no tool '${name}'`)
  const dir = path.join(modules, packageOf)
  const { bin } = JSON.parse(readFileSync(path.join(dir, 'package.json'), 'utf8'))
  return path.join(dir, typeof bin === 'string' ? bin : bin[name])
}

const [mode, target, ...args] = process.argv.slice(2)
if (mode !== 'install' && ((mode !== 'run' && mode !== 'bin') || target === undefined)) {
  process.stderr.write('usage: node cli/launch.mjs run FILE [ARG...] | bin TOOL [ARG...] | install\n')
  process.exit(2)
}
installIfMissing()
if (mode === 'install') process.exit(0)
const file = mode === 'run' ? path.join(root, target) : toolFile(target)
// The pinned Node goes first in PATH, so that every tool and child process uses it too.
const env = { ...process.env, PATH: `${path.dirname(pinnedNode)}${path.delimiter}${process.env.PATH}` }
const child = spawn(pinnedNode, [file, ...args], {
  cwd: mode === 'bin' ? root : process.cwd(),
  stdio: 'inherit',
  env,
})
// Whoever started us may be killed without a word; what we run must not outlive that either.
const parent = process.ppid
setInterval(() => {
  if (process.ppid !== parent) child.kill('SIGTERM')
}, 500).unref()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('error', (error) => {
  process.stderr.write(`weft: cannot start ${pinnedNode}: ${error.message}\n`)
  process.exit(1)
})
child.on('exit', (code, signal) =>
  process.exit(signal === null ? (code ?? 1) : 128 + constants.signals[signal]),
)

/** A kubeconfig with the rights of one ServiceAccount and no others. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import type { ApiServer } from './api-server.ts'

/** The file, in `folder`. */
export async function accountKubeconfig(
  server: ApiServer,
  account: string,
  folder: string,
  namespace = 'weft',
): Promise<string> {
  const token = await server.kubectl(['create', 'token', '-n', namespace, account, '--duration=2h'])
  const view = await server.kubectl(['config', 'view', '--raw', '--minify', '-o', 'json'])
  const { clusters } = JSON.parse(view) as { readonly clusters: readonly [{ readonly cluster: object }] }
  const config = {
    clusters: [{ name: 'test', cluster: clusters[0].cluster }],
    users: [{ name: 'test', user: { token: token.trim() } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  }
  const file = path.join(folder, `${account}.kubeconfig`)
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 })
  return file
}

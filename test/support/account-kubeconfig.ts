/** A kubeconfig with the rights of one ServiceAccount and no others. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import type { ApiServer } from './api-server.ts'

/** The file, in `folder`. `port`: of this machine, where the API server is reached instead. */
export async function accountKubeconfig(
  server: ApiServer,
  account: string,
  folder: string,
  namespace = 'weft',
  port?: number,
): Promise<string> {
  const token = await server.kubectl(['create', 'token', '-n', namespace, account, '--duration=2h'])
  const view = await server.kubectl(['config', 'view', '--raw', '--minify', '-o', 'json'])
  const { clusters } = JSON.parse(view) as { readonly clusters: readonly [{ readonly cluster: object }] }
  const way = port === undefined ? {} : { server: `https://127.0.0.1:${port}` }
  const config = {
    clusters: [{ name: 'test', cluster: { ...clusters[0].cluster, ...way } }],
    users: [{ name: 'test', user: { token: token.trim() } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  }
  const file = path.join(folder, `${account}.kubeconfig`)
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 })
  return file
}

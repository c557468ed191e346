/** What deploy/Dockerfile makes, running: every process from the image's own files, which it cannot write, as a user without rights. */
import type { ChildProcess } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Agent, request } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePorts } from '../../../cli/demo/ports.ts'
import { fetchText } from '../../../cli/demo/sidecar-admin.ts'
import { createWorkloadToken } from '../../../cli/token.ts'
import { type HttpApplication, startHttpApplication } from '../../support/http-application.ts'
import { HttpClient } from '../../support/http-client.ts'
import { servicesYaml } from '../../support/running-control-plane.ts'
import { podYaml, stopChild } from '../../support/sidecar-process.ts'
import { Network, ownPrefix } from '../network.ts'
import { describeWithImage } from '../requirements.ts'
import { imageConfig, imageUid, runInImage, startInImage } from './image-process.ts'

const routeYaml = `---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: catalog, namespace: shop}
spec:
  parentRefs: [{group: '', kind: Service, name: catalog}]
  rules: [{matches: [{path: {type: RegularExpression, value: '/items/[0-9]+'}}], backendRefs: [{name: catalog, port: 8080}]}]
`

describeWithImage('the image', () => {
  const shared = mkdtempSync(path.join(tmpdir(), ownPrefix))
  const children: ChildProcess[] = []
  let said = ''
  let application: HttpApplication
  let network: Network
  let ports: readonly number[] = []
  const port = (i: number): number => ports[i] as number

  /** Starts a process and resolves when `page` of its admin server is answered with 200. */
  async function start(
    name: string,
    adminPort: number,
    page: string,
    ...args: readonly string[]
  ): Promise<void> {
    const child = startInImage([`/weft/${name}.cjs`, `--admin-address=127.0.0.1:${adminPort}`, ...args], {
      shared,
    })
    children.push(child)
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (piece: Buffer) => {
        said += piece.toString()
      })
    await expect
      .poll(async () => (await fetchText(adminPort, page)).status, { timeout: 20_000, interval: 50 })
      .toBe(200)
      .catch((error: unknown) => {
        throw new Error(`${name} did not start: ${said}`, { cause: error })
      })
  }

  function give(name: string, text: string): void {
    writeFileSync(path.join(shared, name), text)
  }

  beforeAll(async () => {
    chmodSync(shared, 0o755)
    for (const name of ['state', 'mesh']) mkdirSync(path.join(shared, name))
    chownSync(path.join(shared, 'state'), imageUid, imageUid)
    application = await startHttpApplication('hello')
    give('mesh/mesh.yaml', `${servicesYaml({ catalog: [application.port] })}---\n${podYaml}${routeYaml}`)
    ports = await freePorts(8)
    network = new Network()
  })
  afterAll(async () => {
    for (const child of children) await stopChild(child)
    await application?.stop()
    await network?.remove()
    rmSync(shared, { recursive: true, force: true })
  })

  test('is started as a user that is not root', () => {
    const { User, Entrypoint } = imageConfig()
    expect([User, Entrypoint]).toEqual(['2103:2103', ['node']])
  })

  test('can be changed by nobody, and has no tools to be changed by', async () => {
    const script = "try { fs.writeFileSync('/weft/x', '') } catch (error) { console.log(error.code) }"
    expect((await runInImage(['-e', script], { shared, uid: 0 })).stdout).toBe('EROFS\n')
    const tools =
      "console.log(['npm', 'setcap', 'curl', 'gcc'].filter((name) => process.env.PATH.split(':').some((folder) => fs.existsSync(folder + '/' + name))))"
    expect((await runInImage(['-e', tools], { shared })).stdout).toBe('[]\n')
  })

  test('brings the native library of its own architecture', async () => {
    const script = "console.log(require('/weft/node_modules/koffi').load('libc.so.6').func('int getuid()')())"
    expect(await runInImage(['-e', script], { shared })).toEqual({
      status: 0,
      stdout: `${imageUid}\n`,
      stderr: '',
    })
  })

  test('carries a request: control plane, sidecar, and what waits for it', async () => {
    await start(
      'control-plane',
      port(0),
      '/ready',
      '--config=/mnt/mesh',
      '--state=/mnt/state',
      `--grpc-address=127.0.0.1:${port(1)}`,
    )
    const state = path.join(shared, 'state')
    give('web.token', createWorkloadToken({ state, namespace: 'shop', serviceAccount: 'web', ttl: '1h' }))
    await start(
      'proxy',
      port(2),
      '/ready',
      `--control-plane=127.0.0.1:${port(1)}`,
      '--control-plane-ca=/mnt/state/root-cert.pem',
      '--token-file=/mnt/web.token',
      '--namespace=shop',
      '--pod=web',
      '--service-account=web',
      `--outbound-address=127.0.0.1:${port(3)}`,
    )
    const waited = await runInImage(['/weft/await.cjs', `--admin-port=${port(2)}`], { shared })
    expect(waited.status).toBe(0)
    const client = new HttpClient(port(3))
    const { status, body } = await client.send('http://catalog.shop:8080/items/7')
    expect([status, body], said).toEqual([200, 'hello'])
    expect((await client.send('http://catalog.shop:8080/other')).status).toBe(404)
    client.close()
  })

  test('converts, and tells pods apart, over TLS', async () => {
    const cluster = { name: 'none', cluster: { server: `http://127.0.0.1:${port(4)}` } }
    const context = { name: 'none', context: { cluster: 'none', user: 'none' } }
    const user = { name: 'none', user: { token: 'none' } }
    const config = { clusters: [cluster], contexts: [context], users: [user], 'current-context': 'none' }
    give('kubeconfig', JSON.stringify(config))
    await start(
      'injector',
      port(5),
      '/live',
      '--kubeconfig=/mnt/kubeconfig',
      `--webhook-address=127.0.0.1:${port(6)}`,
    )
    const object = {
      apiVersion: 'split.smi-spec.io/v1alpha1',
      kind: 'TrafficSplit',
      spec: { service: 'catalog', backends: [{ service: 'v1', weight: '500m' }] },
    }
    const asked = { uid: 'u', desiredAPIVersion: 'split.smi-spec.io/v1alpha4', objects: [object] }
    const dispatcher = new Agent({ connect: { rejectUnauthorized: false } })
    const { statusCode, body } = await request(`https://127.0.0.1:${port(6)}/convert`, {
      method: 'POST',
      body: JSON.stringify({
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'ConversionReview',
        request: asked,
      }),
      dispatcher,
    })
    expect([statusCode, await body.text()]).toEqual([200, expect.stringContaining('"weight":1')])
    await dispatcher.destroy()
  })

  test.each(['nft', 'legacy'])('redirects as nobody, by its own iptables-%s', async (variant) => {
    const { namespace, ...pod } = network.addPod(`image-${variant}`)
    const args = ['/weft/init.cjs', `--iptables=${variant}`]
    const ended = await runInImage(args, {
      shared,
      uid: 65_534,
      capabilities: ['net_admin', 'net_raw'],
      env: { XTABLES_LOCKFILE: '/dev/null' },
      namespace,
    })
    expect([ended.status, ended.stderr]).toEqual([0, expect.not.stringContaining('INTERCEPTION_FAILED')])
    const rules = network.run({ namespace, ...pod }, `iptables-${variant}-save`, '-t', 'nat')
    expect(rules).toContain('-A WEFT_OUTBOUND -p tcp -j REDIRECT --to-ports 4140')
  })
})

/** What a sidecar and a control plane answer at /metrics -> docs/reference/metrics.md. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { request } from 'undici'
import { createWorkloadToken } from '../../cli/token.ts'
import { startControlPlane } from '../../control-plane/control-plane.ts'
import { readControlPlaneSettings } from '../../control-plane/settings.ts'
import { createLog } from '../../core/log.ts'
import { createRegistry } from '../../core/metrics.ts'
import { registerWebhookMetrics } from '../../injector/webhook-metrics.ts'
import { startProxy } from '../../proxy/proxy.ts'
import { readProxySettings } from '../../proxy/settings.ts'
import { page, table } from './markdown.ts'

const log = createLog({ process: 'docs', level: 'silent' })
const stopWithinMs = 5_000

async function scrape(adminPort: number): Promise<string> {
  const { body } = await request(`http://127.0.0.1:${adminPort}/metrics`)
  return body.text()
}

/** Both run, so that what they register is known from them alone. */
async function scrapeBoth(
  folder: string,
): Promise<{ readonly sidecar: string; readonly controlPlane: string }> {
  const state = path.join(folder, 'state')
  mkdirSync(path.join(folder, 'config'))
  const local = ['--admin-address=127.0.0.1:0']
  const plane = await startControlPlane(
    readControlPlaneSettings({
      args: [...local, `--config=${folder}/config`, `--state=${state}`, '--grpc-address=127.0.0.1:0'],
      env: {},
    }),
    log,
  )
  const tokenFile = path.join(folder, 'token')
  writeFileSync(
    tokenFile,
    createWorkloadToken({ state, namespace: 'docs', serviceAccount: 'docs', ttl: '1m' }),
  )
  const sidecar = await startProxy(
    readProxySettings({
      args: [
        ...local,
        '--outbound-address=127.0.0.1:0',
        '--drain-delay=0',
        `--control-plane=127.0.0.1:${plane.grpcPort}`,
        `--control-plane-ca=${path.join(state, 'root-cert.pem')}`,
        `--token-file=${tokenFile}`,
        // Nothing is sent; the exporter has metrics of its own.
        '--zipkin-url=http://127.0.0.1:1/api/v2/spans',
        '--metric-aliases=all',
      ],
      env: {},
    }),
    log,
  )
  try {
    return { sidecar: await scrape(sidecar.adminPort), controlPlane: await scrape(plane.adminPort) }
  } finally {
    await sidecar.shutdown.run(stopWithinMs)
    await plane.shutdown.run(stopWithinMs)
  }
}

function injectorMetrics(): Promise<string> {
  const registry = createRegistry('injector')
  registerWebhookMetrics(registry)
  return registry.metrics()
}

/** The families of an exposition, by name. */
function families(text: string): readonly (readonly string[])[] {
  const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]))
  return [...text.matchAll(/^# HELP (\S+) (.*)$/gm)]
    .map(([, name = '', help = '']) => [`\`${name}\``, types.get(name) ?? '', help])
    .toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1))
}

export async function metricsPage(): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'weft-docs-'))
  const { sidecar, controlPlane } = await scrapeBoth(folder).finally(() =>
    rmSync(folder, { recursive: true }),
  )
  const head = ['family', 'type', 'what it counts']
  return page(
    'Metrics',
    'In the Prometheus text format at `/metrics` of the admin address. Names and labels of the golden metrics are those of Linkerd; [seeing what happens](../observe.md) says how to read them.',
    `## Sidecar\n\n${table(head, families(sidecar))}`,
    `## Control plane\n\n${table(head, families(controlPlane))}`,
    `## Injector\n\n${table(head, families(await injectorMetrics()))}`,
  )
}

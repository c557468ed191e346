/** The injector in this process, with the rights of its ServiceAccount, where the API server has its CRDs' versions converted. */
import { freePorts } from '../../cli/demo/ports.ts'
import { injectorName, weftNamespace } from '../../api/deployment.ts'
import { convertedCrds, conversionPath } from '../../api/smi.ts'
import { createLog } from '../../core/log.ts'
import { type RunningInjector, startInjector } from '../../injector/injector.ts'
import { readInjectorSettings } from '../../injector/settings.ts'
import type { ApiServer } from './api-server.ts'

const configPath = '/spec/conversion/webhook/clientConfig'
const timeoutMs = 60_000
const log = createLog({ process: 'test', level: 'silent' })

export class ConvertingInjector {
  readonly #kubeconfig: string
  readonly #port: number
  #running: RunningInjector | undefined

  private constructor(kubeconfig: string, port: number) {
    this.#kubeconfig = kubeconfig
    this.#port = port
  }

  /** Resolves when the API server has heard of the certificate. This process is no Service: the CRDs, which must be there, are given an address, and all else stays as it is installed. */
  static async start(server: ApiServer, kubeconfig: string): Promise<ConvertingInjector> {
    const [port = 0] = await freePorts(1)
    await patchCrds(server, [
      { op: 'replace', path: configPath, value: { url: `https://localhost:${port}${conversionPath}` } },
    ])
    const injector = new ConvertingInjector(kubeconfig, port)
    await injector.startAgain()
    for (const crd of convertedCrds) await untilConverted(server, crd)
    return injector
  }

  /** With a certificate of its own. */
  async startAgain(): Promise<void> {
    const args = [
      `--kubeconfig=${this.#kubeconfig}`,
      `--webhook-address=127.0.0.1:${this.#port}`,
      '--admin-address=127.0.0.1:0',
      '--dns-names=localhost',
      '--drain-delay=0',
    ]
    this.#running = await startInjector(readInjectorSettings({ args, env: {} }), log, {})
  }

  /** The CRDs ask the Service again, as they are installed; the certificate stays in them. */
  async askService(server: ApiServer): Promise<void> {
    const service = { name: injectorName, namespace: weftNamespace, path: conversionPath, port: 443 }
    await patchCrds(server, [
      { op: 'remove', path: `${configPath}/url` },
      { op: 'add', path: `${configPath}/service`, value: service },
    ])
  }

  async stop(): Promise<void> {
    await this.#running?.shutdown.run(5_000)
  }
}

async function patchCrds(server: ApiServer, patch: readonly object[]): Promise<void> {
  for (const crd of convertedCrds)
    await server.kubectl(['patch', 'crd', crd, '--type=json', '-p', JSON.stringify(patch)])
}

/** Resolves when the objects of a kind can be read in another version than they are stored in. */
export async function untilConverted(server: ApiServer, crd: string): Promise<void> {
  const [plural = '', ...group] = crd.split('.')
  const deadlineMs = performance.now() + timeoutMs
  for (;;) {
    try {
      await server.kubectl(['get', '--raw', `/apis/${group.join('.')}/v1alpha1/${plural}`])
      return
    } catch (error) {
      if (performance.now() > deadlineMs) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

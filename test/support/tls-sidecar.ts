/** A sidecar whose listeners speak TLS, by a bootstrap file, before an application in clear. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freePorts } from '../../cli/demo/ports.ts'
import { TestRoot } from '../../proxy/identity/test-pki.ts'
import { cluster, everything, http, listener, startFromFile, writeTlsFiles } from './bootstrap-file.ts'

export type TlsSidecar = {
  /** Offers `h2` and `http/1.1`. */
  readonly port: number
  /** Offers no protocol. */
  readonly silentPort: number
  readonly stop: () => Promise<void>
}

export async function startTlsSidecar(applicationPort: number): Promise<TlsSidecar> {
  const folder = mkdtempSync(path.join(tmpdir(), 'weft-tls-'))
  const { context } = await writeTlsFiles(folder, await TestRoot.make(), { dns: ['localhost'] })
  const [port, silentPort] = (await freePorts(2)) as [number, number]
  const shown = { tls_certificates: context.tls_certificates }
  const offered = { common_tls_context: { ...shown, alpn_protocols: ['h2', 'http/1.1'] } }
  const sidecar = await startFromFile(
    folder,
    [
      listener(port, http(everything('app')), offered),
      listener(silentPort, http(everything('app')), { common_tls_context: shown }),
    ],
    [cluster('app', applicationPort)],
  )
  const stop = async (): Promise<void> => {
    await sidecar.shutdown.run(5_000)
    rmSync(folder, { recursive: true })
  }
  return { port, silentPort, stop }
}

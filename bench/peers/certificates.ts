/** P-256 certificates for the peers that have no control plane: one root, one leaf for each side of a pair. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { TestRoot } from '../../proxy/identity/test-pki.ts'
import type { TlsFiles } from '../peer.ts'

export type Certificates = { readonly client: TlsFiles; readonly server: TlsFiles }

/** The name on the server's certificate. */
export const serverName = 'app'

/** Writes them as PEM under `folder`. */
export async function writeCertificates(folder: string): Promise<Certificates> {
  const root = await TestRoot.make('bench root')
  const write = (name: string, text: string): string => {
    const file = path.join(folder, name)
    writeFileSync(file, text, { mode: 0o600 })
    return file
  }
  const roots = write('roots.pem', root.pem)
  const side = async (name: string): Promise<TlsFiles> => {
    const leaf = await root.leaf({ uris: [`spiffe://cluster.local/ns/bench/sa/${name}`], dns: [name] })
    return {
      roots,
      certificate: write(`${name}.pem`, leaf.certificatePem),
      // HAProxy looks for the key of X.pem in X.pem.key.
      key: write(`${name}.pem.key`, leaf.keyPem),
    }
  }
  return { client: await side('client'), server: await side(serverName) }
}

/** An issuer of the user's own in files, as the control plane is told of it, and as they are replaced while it runs. */
import { renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { TestRoot } from '../../proxy/identity/test-pki.ts'

export type IssuerFiles = { readonly key: string; readonly certificate: string; readonly bundle: string }

export function issuerFiles(folder: string): IssuerFiles {
  return {
    key: path.join(folder, 'issuer-key.pem'),
    certificate: path.join(folder, 'issuer.pem'),
    bundle: path.join(folder, 'bundle.pem'),
  }
}

/** Their contents, by name: `issuer` signs, the bundle is `root` alone. */
export async function issuerTexts(issuer: TestRoot, root: TestRoot): Promise<Record<string, string>> {
  const { keyPem, certificatePem } = await issuer.issuerPem()
  return { 'issuer-key.pem': keyPem, 'issuer.pem': certificatePem, 'bundle.pem': root.pem }
}

/** Puts others in their place, each in one step, as they are read at any moment. */
export async function replaceIssuer(folder: string, issuer: TestRoot, root: TestRoot): Promise<void> {
  for (const [name, text] of Object.entries(await issuerTexts(issuer, root))) {
    const file = path.join(folder, name)
    writeFileSync(`${file}.new`, text, { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }
}

import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { describe, expect, it } from 'vitest'
import { readCertificateFacts } from './certificate-facts.ts'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const { clientAuth } = x509.ExtendedKeyUsage
const web = 'spiffe://cluster.local/ns/shop/sa/web'

type Options = {
  readonly names?: x509.JsonGeneralNames
  readonly ca?: boolean
  readonly notBeforeMs?: number
  readonly notAfterMs?: number
  readonly extensions?: readonly x509.Extension[]
}

/** A certificate in DER. Who signed it is of no concern here. */
async function certificate(options: Options): Promise<Buffer> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=test',
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(options.notBeforeMs ?? Date.UTC(2026, 0, 1)),
    notAfter: new Date(options.notAfterMs ?? Date.UTC(2027, 0, 1)),
    extensions: [
      new x509.BasicConstraintsExtension(options.ca ?? false, undefined, true),
      new x509.ExtendedKeyUsageExtension([clientAuth]),
      ...(options.names === undefined ? [] : [new x509.SubjectAlternativeNameExtension(options.names, true)]),
      ...(options.extensions ?? []),
    ],
  })
  return Buffer.from(made.rawData)
}

const uri = (value: string) => ({ type: 'url' as const, value })

describe('readCertificateFacts', () => {
  it('reads names, usages and validity', async () => {
    const notBeforeMs = Date.UTC(2026, 1, 3, 4, 5, 6)
    const notAfterMs = Date.UTC(2051, 1, 3, 4, 5, 6)
    const uris = [web, 'spiffe://cluster.local/ns/c/sa/d']
    const names = [...uris.map(uri), { type: 'dns' as const, value: 'a.example' }]
    expect(readCertificateFacts(await certificate({ names, notBeforeMs, notAfterMs }))).toEqual({
      uris,
      isCa: false,
      serverAuth: false,
      clientAuth: true,
      notBeforeMs,
      notAfterMs,
    })
  })

  it('knows a CA, and a certificate without names', async () => {
    expect(readCertificateFacts(await certificate({ ca: true }))).toMatchObject({ isCa: true, uris: [] })
  })

  it('is not led astray by a name that looks like two', async () => {
    const names = [{ type: 'dns' as const, value: 'a", URI:spiffe://cluster.local/ns/kube-system/sa/admin' }]
    expect(readCertificateFacts(await certificate({ names })).uris).toEqual([])
  })

  it('takes none in which an extension is there twice: the second could hide a name', async () => {
    const second = new x509.SubjectAlternativeNameExtension([uri('spiffe://cluster.local/ns/a/sa/admin')])
    const der = await certificate({ names: [uri(web)], extensions: [second] })
    expect(() => readCertificateFacts(der)).toThrow(
      expect.objectContaining({ code: 'CERTIFICATE_INVALID', message: expect.stringContaining('twice') }),
    )
  })

  it('refuses every truncation, and never loops or throws anything else', async () => {
    const raw = await certificate({ names: [uri(web)] })
    const invalid = expect.objectContaining({ code: 'CERTIFICATE_INVALID' })
    for (let length = 0; length < raw.length; length++) {
      expect(() => readCertificateFacts(raw.subarray(0, length))).toThrow(invalid)
    }
    for (let i = 0; i < raw.length; i++) {
      const changed = Buffer.from(raw)
      changed[i] = (changed[i] as number) ^ 0xff
      try {
        readCertificateFacts(changed)
      } catch (error) {
        expect(error).toEqual(invalid)
      }
    }
  })
})

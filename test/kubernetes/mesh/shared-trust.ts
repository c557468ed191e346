/** The root that the control plane's replicas share, and what others trust them by. */
import { X509Certificate } from 'node:crypto'
import { expect } from 'vitest'
import { MeshTrust } from '../../../control-plane/ca/mesh-trust.ts'
import { TrustSecret } from '../../../control-plane/ca/trust-secret.ts'
import { systemClock } from '../../../core/clock.ts'
import { KubernetesClient } from '../../../core/kubernetes/api-client.ts'
import { readKubeconfig } from '../../../core/kubernetes/kubeconfig.ts'
import { createLog } from '../../../core/log.ts'
import type { ShopTests } from '../cluster-shop.ts'

const log = createLog({ process: 'test', level: 'silent' })

export const sharedTrust: ShopTests = {
  'what the control plane is trusted by is there for the injector': async ({ server }) => {
    await expect
      .poll(() => server.kubectl(['get', 'configmap', '-n', 'weft', 'weft-trust-bundle', '-o', 'yaml']), {
        timeout: 15_000,
      })
      .toContain('root-cert.pem: |')
  },

  'replicas that start at the same moment sign with one root': async ({ server }) => {
    const admin = new KubernetesClient(readKubeconfig([server.kubeconfig]), systemClock)
    const open = async (name: string) => {
      const secret = { namespace: 'weft', name }
      const parts = { client: admin, trustDomain: 'cluster.local', clock: systemClock, log }
      return (await new TrustSecret({ ...parts, secret }).load()).pem.issuer
    }
    const made = await Promise.all(Array.from({ length: 5 }, () => open('raced')))
    expect(new Set(made.map(({ certificatePem }) => certificatePem)).size).toBe(1)
    // An empty one is filled by whoever comes first, too.
    await server.kubectl(['create', 'secret', 'generic', '-n', 'weft', 'prepared'])
    const filled = await Promise.all(Array.from({ length: 5 }, () => open('prepared')))
    expect(new Set(filled.map(({ certificatePem }) => certificatePem)).size).toBe(1)
    expect(new X509Certificate((await open('prepared')).certificatePem).ca).toBe(true)
    admin.close()
  },

  'replicas lead a rotation through one Secret: one of two goes on, the other follows': async ({
    server,
  }) => {
    const admin = new KubernetesClient(readKubeconfig([server.kubeconfig]), systemClock)
    const parts = { trustDomain: 'cluster.local', clock: systemClock, log }
    const store = () =>
      new TrustSecret({ ...parts, client: admin, secret: { namespace: 'weft', name: 'rotated' } })
    const [one, other] = [
      await MeshTrust.open({ ...parts, store: store() }),
      await MeshTrust.open({ ...parts, store: store() }),
    ]
    const raced = await Promise.allSettled([one.advance('new-trusted'), other.advance('new-trusted')])
    expect(raced.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    for (const phase of ['new-issues', 'steady'] as const) {
      await one.advance(phase)
      await other.refresh()
      const { bundle, issuingRoot } = other.current
      expect({ phase: other.current.phase, bundle, issuingRoot }).toEqual({
        phase,
        bundle: one.current.bundle,
        issuingRoot: one.current.issuingRoot,
      })
    }
    const secret = await server.kubectl(['get', 'secret', '-n', 'weft', 'rotated', '-o', 'json'])
    const { data } = JSON.parse(secret) as { readonly data: object }
    expect(Object.keys(data).toSorted()).toEqual(['tls.crt', 'tls.key'])
    admin.close()
  },
}

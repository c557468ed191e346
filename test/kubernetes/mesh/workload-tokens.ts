/** What a ServiceAccount's token proves, and what it does not. */
import { expect } from 'vitest'
import { tapAudience } from '../../../api/token.ts'
import { TokenReviewAuthenticator } from '../../../control-plane/ca/token-review.ts'
import { clusterTapAccess } from '../../../control-plane/live/tap-access.ts'
import { systemClock } from '../../../core/clock.ts'
import { KubernetesClient } from '../../../core/kubernetes/api-client.ts'
import { readKubeconfig } from '../../../core/kubernetes/kubeconfig.ts'
import { catalogUrl, type ShopTests, tokenFor } from '../cluster-shop.ts'
import { changedTokens, signedHere, wronglySignedTokens } from './bad-tokens.ts'

function reviewerAs(kubeconfig: string): TokenReviewAuthenticator {
  return new TokenReviewAuthenticator({
    client: new KubernetesClient(readKubeconfig([kubeconfig]), systemClock),
  })
}

export const workloadTokens: ShopTests = {
  'a sidecar proves by its ServiceAccount token who it is, and reaches what Kubernetes made of a Service':
    async (shop) => {
      const { client } = shop
      await expect.poll(() => shop.plane.log).toContain('"identity":"spiffe://cluster.local/ns/shop/sa/web"')
      const { status, body } = await client.send(catalogUrl)
      expect([status, body]).toEqual([200, 'catalog'])
    },

  'a token for another audience proves nothing': async ({ server, kubeconfig }) => {
    const reviewer = reviewerAs(kubeconfig)
    await expect(reviewer.authenticate(await tokenFor(server, 'weft'))).resolves.toEqual({
      namespace: 'shop',
      serviceAccount: 'web',
    })
    await expect(reviewer.authenticate(await tokenFor(server))).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
    })
    await expect(reviewer.authenticate('a.b.c')).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
  },

  'who is a ServiceAccount and nobody allowed it may not look at exchanges': async ({
    server,
    kubeconfig,
  }) => {
    const client = new KubernetesClient(readKubeconfig([kubeconfig]), systemClock)
    const access = clusterTapAccess(client)
    await expect(access(await tokenFor(server, tapAudience), 'shop')).rejects.toMatchObject({
      code: 'TAP_REFUSED',
    })
    client.close()
  },

  'a zoo of tokens, each refused by the API server or by what we read of its answer': async ({
    server,
    kubeconfig,
  }) => {
    const reviewer = reviewerAs(kubeconfig)
    const bound = (pod: string): Promise<string> =>
      tokenFor(server, 'weft', '--bound-object-kind', 'Pod', '--bound-object-name', pod)
    const good = await bound('web')
    await expect(reviewer.authenticate(good)).resolves.toEqual({
      namespace: 'shop',
      serviceAccount: 'web',
      pod: 'web',
    })
    await server.apply(`
apiVersion: v1
kind: Pod
metadata: {name: gone, namespace: shop}
spec: {nodeName: node-1, serviceAccountName: web, containers: [{name: app, image: app}]}
`)
    const replayed = await bound('gone')
    await server.kubectl(['delete', 'pod', 'gone', '-n', 'shop', '--grace-period=0', '--force'])
    if (server.own)
      await expect(
        reviewer.authenticate(signedHere(server, good, { aud: ['weft', 'other'] })),
      ).resolves.toMatchObject({ serviceAccount: 'web' })
    const zoo: Readonly<Record<string, string>> = {
      'of a pod that is gone': replayed,
      'for another audience': await tokenFor(server, 'somebody-else'),
      'for the API server': await tokenFor(server),
      ...changedTokens(good),
      ...(server.own ? wronglySignedTokens(server, good) : {}),
    }
    const codeOf = (token: string): Promise<string> =>
      reviewer.authenticate(token).then(JSON.stringify, ({ code }: { readonly code: string }) => code)
    for (const [what, token] of Object.entries(zoo))
      expect([what, await codeOf(token)]).toEqual([what, 'TOKEN_INVALID'])
    await expect(reviewer.authenticate('')).rejects.toMatchObject({ code: 'TOKEN_MALFORMED' })
    await expect(reviewer.authenticate(good.repeat(20))).rejects.toMatchObject({ code: 'TOKEN_TOO_LARGE' })
  },
}

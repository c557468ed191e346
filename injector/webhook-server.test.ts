import { Agent, request } from 'undici'
import { afterEach, expect, test } from 'vitest'
import { createLog } from '../core/log.ts'
import { createRegistry } from '../core/metrics.ts'
import { makeWebhookCertificate } from './webhook-certificate.ts'
import { registerWebhookMetrics } from './webhook-metrics.ts'
import { WebhookServer } from './webhook-server.ts'

const servername = 'weft-injector.weft.svc'
const review = JSON.stringify({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: { uid: 'u', operation: 'CREATE' },
})
const agents: Agent[] = []
let server: WebhookServer | undefined

function trusting(ca: string): Agent {
  const agent = new Agent({ connect: { ca, servername }, connections: 1 })
  agents.push(agent)
  return agent
}

function start(admit: () => Promise<void> = () => Promise.resolve()): WebhookServer {
  server = new WebhookServer({
    log: createLog({ process: 'test', level: 'silent' }),
    metrics: registerWebhookMetrics(createRegistry('test')),
    admit: async () => {
      await admit()
      return { allowed: true, patch: [], warnings: [], reason: 'test' }
    },
  })
  return server
}

async function ask(port: number, dispatcher: Agent): Promise<number> {
  const { statusCode, body } = await request(`https://127.0.0.1:${port}/inject`, {
    method: 'POST',
    body: review,
    dispatcher,
  })
  await body.dump()
  return statusCode
}

afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.destroy()))
  await server?.stop()
})

test('a new certificate is served to new connections, and those that stand go on', async () => {
  const [first, second] = await Promise.all(
    [1, 2].map(() => makeWebhookCertificate([servername], Date.now())),
  )
  if (first === undefined || second === undefined) throw new Error('no certificates')
  const webhook = start()
  const port = await webhook.start('127.0.0.1', 0, first)
  const standing = trusting(first.certificatePem)
  expect(await ask(port, standing)).toBe(200)
  webhook.replaceCertificate(second)
  expect(await ask(port, standing)).toBe(200)
  expect(await ask(port, trusting(second.certificatePem))).toBe(200)
  await expect(ask(port, trusting(first.certificatePem))).rejects.toThrow()
})

test('what is being decided is answered when the server stops', async () => {
  const pair = await makeWebhookCertificate([servername], Date.now())
  const { promise: decided, resolve: decide } = Promise.withResolvers<void>()
  const { promise: asked, resolve: onAsked } = Promise.withResolvers<void>()
  const webhook = start(() => {
    onAsked()
    return decided
  })
  const port = await webhook.start('127.0.0.1', 0, pair)
  const answer = ask(port, trusting(pair.certificatePem))
  await asked
  const stopped = webhook.stop()
  decide()
  expect(await answer).toBe(200)
  await stopped
})

/** An inbound side with rules of access in front of an application. */
import { freePorts } from '../../cli/demo/ports.ts'
import type { AccessRule, AccessRules, Permission } from '../../proxy/authz/access-rules.ts'
import { untilOpen } from '../../bench/process.ts'
import { startPlainDataPath } from './plain-data-path.ts'

const path = (kind: 'exact' | 'prefix', value: string): Permission => ({
  kind: 'path',
  match: { kind, value },
})

/** A path and everything below it, for everybody. */
export function below(name: string, value: string): AccessRule {
  const permission: Permission = { kind: 'one', of: [path('exact', value), path('prefix', `${value}/`)] }
  return { name, permission, principal: { kind: 'any' } }
}

/** Rules that say nothing. */
export const nothing: AccessRules = { deny: [], allow: undefined, audit: [], otherwise: 'default' }

/** Everything but `/private`, and nothing but `/public`. */
export const policies: Readonly<Record<string, AccessRules>> = {
  'a rule that denies /private': { ...nothing, deny: [below('private', '/private')] },
  'a rule that allows /public': { ...nothing, allow: [below('public', '/public')] },
}

/** Resolves with the port of the sidecar. */
export async function guard(
  applicationPort: number,
  access: AccessRules,
): Promise<{ readonly port: number; readonly stop: () => void }> {
  const [port = 0] = await freePorts(1)
  const { dataPath, stop } = await startPlainDataPath([], {
    outboundAddress: undefined,
    onUnexpected: () => undefined,
  })
  const listen = { host: '127.0.0.1', port }
  dataPath.setInbound({
    ports: [{ listen, applicationHost: '127.0.0.1', applicationPort, protocol: 'detect', access }],
  })
  await untilOpen(port)
  return { port, stop }
}

/** `weft token create`: a signed token for a workload, without a cluster. */
import { createToken } from '../control-plane/ca/token.ts'
import { openTokenKey } from '../control-plane/ca/token-key.ts'
import { StateFolder } from '../control-plane/ca/state-folder.ts'
import { systemClock } from '../core/clock.ts'
import { parseDurationMs } from '../core/duration.ts'
import { WeftError } from '../core/errors.ts'

/** Throws CONFIG_INVALID for a bad ttl, and what the state folder throws. */
export function createWorkloadToken(options: {
  readonly state: string
  readonly namespace: string
  readonly serviceAccount: string
  readonly ttl: string
}): string {
  const ttlMs = parseDurationMs(options.ttl)
  if (ttlMs === undefined || ttlMs <= 0) {
    throw new WeftError('CONFIG_INVALID', 'the ttl is no duration', {
      detail: [`--ttl: '${options.ttl}' is not like 24h or 30m`],
    })
  }
  const { privateKey } = openTokenKey(new StateFolder(options.state))
  const identity = { namespace: options.namespace, serviceAccount: options.serviceAccount }
  return createToken({ privateKey, identity, ttlMs, clock: systemClock })
}

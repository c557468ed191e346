import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { StateFolder } from '../control-plane/ca/state-folder.ts'
import { openTokenKey } from '../control-plane/ca/token-key.ts'
import { TokenAuthenticator } from '../control-plane/ca/token.ts'
import { ManualClock } from '../core/manual-clock.ts'
import { createWorkloadToken } from './token.ts'

let state: string
beforeEach(() => {
  state = path.join(mkdtempSync(path.join(tmpdir(), 'weft-token-')), 'state')
})
afterEach(() => rmSync(path.dirname(state), { recursive: true }))

const web = { namespace: 'shop', serviceAccount: 'web', ttl: '1h' }

/** The control plane of that folder, `laterMs` from now. */
function controlPlane(laterMs = 0): TokenAuthenticator {
  const { publicKey } = openTokenKey(new StateFolder(state))
  return new TokenAuthenticator({ publicKey, clock: new ManualClock(Date.now() + laterMs) })
}

it('makes a token that the control plane of the same folder takes for the workload, until it has expired', async () => {
  const token = createWorkloadToken({ state, ...web })
  expect(await controlPlane().authenticate(token)).toEqual({ namespace: 'shop', serviceAccount: 'web' })
  expect(await controlPlane(59 * 60_000).authenticate(token)).toBeDefined()
  await expect(controlPlane(61 * 60_000).authenticate(token)).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' })
})

it('makes the key when it is the first to need it, for its owner alone, and uses it ever after', async () => {
  const first = createWorkloadToken({ state, ...web })
  expect(statSync(path.join(state, 'token-key.pem')).mode & 0o777).toBe(0o600)
  const second = createWorkloadToken({ state, ...web })
  expect(second).not.toBe(first)
  for (const token of [first, second]) expect(await controlPlane().authenticate(token)).toBeDefined()
})

it.each(['', 'soon', '5', '-1h', '0'])('refuses the ttl "%s" and names it', (ttl) => {
  expect(() => createWorkloadToken({ state, ...web, ttl })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', detail: [expect.stringContaining(`'${ttl}'`)] }),
  )
})

it.each(['Shop', 'a b', '', 'shop/web'])(
  'refuses the namespace "%s", which Kubernetes would too',
  (namespace) => {
    expect(() => createWorkloadToken({ state, ...web, namespace })).toThrow(
      expect.objectContaining({ code: 'TOKEN_NOT_SERVICE_ACCOUNT' }),
    )
  },
)

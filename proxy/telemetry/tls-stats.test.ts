import { expect, it } from 'vitest'
import { WeftError } from '../../core/errors.ts'
import { TlsStats } from './tls-stats.ts'

it('counts connections that we open by what came of them, and passes both on', async () => {
  const stats = new TlsStats()
  await expect(stats.dialled(Promise.resolve('wire'))).resolves.toBe('wire')
  const refusal = new WeftError('TLS_REFUSED', 'somebody else')
  await expect(stats.dialled(Promise.reject(refusal))).rejects.toBe(refusal)
  expect([...stats.outcomes('outbound')]).toEqual([
    ['ok', 1],
    ['TLS_REFUSED', 1],
  ])
  expect([...stats.outcomes('inbound')]).toEqual([['ok', 0]])
})

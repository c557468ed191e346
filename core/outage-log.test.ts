import { describe, expect, it } from 'vitest'
import { WeftError } from './errors.ts'
import { createLog } from './log.ts'
import { OutageLog } from './outage-log.ts'

function fixture() {
  const lines: Record<string, unknown>[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) }
  return { lines, outages: new OutageLog(createLog({ process: 'test', level: 'info', destination })) }
}
const away = new WeftError('CONTROL_PLANE_UNREACHABLE', 'connect ECONNREFUSED 127.0.0.1:1')
const refused = new WeftError('CONTROL_PLANE_REFUSED', 'authentication failed')

describe('OutageLog', () => {
  it('warns with code, reason and what to do, in one line without a stack', () => {
    const { lines, outages } = fixture()
    outages.failed('stream', away, { target: '127.0.0.1:1' })
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatchObject({
      level: 'warn',
      code: 'CONTROL_PLANE_UNREACHABLE',
      reason: 'connect ECONNREFUSED 127.0.0.1:1',
      target: '127.0.0.1:1',
      msg: expect.stringMatching(/^the control plane does not answer; check its address/),
    })
    expect(JSON.stringify(lines)).not.toContain('outage-log.test')
  })

  it('says the same trouble once, however often it is met and whoever else meets it', () => {
    const { lines, outages } = fixture()
    for (let i = 0; i < 3; i++) outages.failed('stream', away)
    outages.failed('identity', away)
    expect(lines).toHaveLength(1)
  })

  it('says another trouble, and the same one anew once it was over for all', () => {
    const { lines, outages } = fixture()
    outages.failed('stream', away)
    outages.failed('identity', away)
    outages.failed('stream', refused)
    expect(lines.map(({ code }) => code)).toEqual(['CONTROL_PLANE_UNREACHABLE', 'CONTROL_PLANE_REFUSED'])
    outages.over('stream')
    outages.failed('stream', away)
    expect(lines).toHaveLength(2)
    outages.over('stream')
    outages.over('identity')
    outages.failed('identity', away)
    expect(lines).toHaveLength(3)
  })

  it('keeps the stack of what is a fault in weft itself', () => {
    const { lines, outages } = fixture()
    outages.failed('stream', new TypeError('x is undefined'))
    expect(lines[0]).toMatchObject({
      code: 'INTERNAL',
      error: { stack: expect.stringContaining('TypeError') },
    })
  })
})

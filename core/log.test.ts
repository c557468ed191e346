import { expect, it } from 'vitest'
import { WeftError } from './errors.ts'
import { createLog } from './log.ts'

function collected(level: string): {
  lines: () => Record<string, unknown>[]
  log: ReturnType<typeof createLog>
} {
  const written: string[] = []
  const log = createLog({ process: 'test', level, destination: { write: (line) => void written.push(line) } })
  return { log, lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>) }
}

it('writes one JSON object a line with process, level, time and message', () => {
  const { log, lines } = collected('info')
  log.info({ port: 1 }, 'listening')
  expect(lines()).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      process: 'test',
      port: 1,
      msg: 'listening',
    },
  ])
})

it('follows a change of level', () => {
  const { log, lines } = collected('info')
  log.debug('before')
  log.level = 'debug'
  log.debug('after')
  expect(lines().map((line) => line['msg'])).toEqual(['after'])
})

it('keeps the code and the cause of an error', () => {
  const { log, lines } = collected('info')
  const error = new WeftError('ENROLMENT_FAILED', 'no', { cause: new Error('refused') })
  log.error({ error }, 'failed')
  expect(lines()[0]).toMatchObject({
    error: { code: 'ENROLMENT_FAILED', message: 'no', cause: { message: 'refused' } },
  })
})

it('does not write tokens and keys that were logged by mistake', () => {
  const { log, lines } = collected('info')
  log.info({ token: 'abc', identity: { keyPem: 'abc' }, authorization: 'Bearer abc' })
  expect(JSON.stringify(lines())).not.toContain('abc')
})

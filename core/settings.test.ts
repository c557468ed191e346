import { describe, expect, it } from 'vitest'
import { WeftError } from './errors.ts'
import { readSettings, settingsHelp, type SettingsTable } from './settings.ts'

const table = {
  logLevel: {
    flag: '--log-level',
    env: 'T_LOG_LEVEL',
    kind: 'choice',
    choices: ['info', 'debug'],
    default: 'info',
    help: 'Level',
  },
  admin: {
    flag: '--admin-address',
    env: 'T_ADMIN',
    kind: 'address',
    default: '127.0.0.1:4191',
    help: 'Admin',
  },
  token: { flag: '--token-file', env: 'T_TOKEN', kind: 'file', required: true, help: 'Token' },
  wait: { flag: '--wait', env: 'T_WAIT', kind: 'durationMs', default: '5s', min: 0, help: 'Wait' },
  zipkin: { flag: '--zipkin-url', env: 'T_ZIPKIN', kind: 'string', help: 'Zipkin' },
  strict: { flag: '--strict', env: 'T_STRICT', kind: 'boolean', default: 'false', help: 'Strict' },
  sampling: {
    flag: '--sampling',
    env: 'T_SAMPLING',
    kind: 'number',
    default: '0.1',
    min: 0,
    max: 1,
    help: 'Share',
  },
} as const satisfies SettingsTable

const token = ['--token-file', import.meta.filename]

function problemsOf(args: string[], env: Record<string, string> = {}): readonly string[] {
  try {
    readSettings(table, { args, env })
  } catch (error) {
    expect(error).toBeInstanceOf(WeftError)
    expect((error as WeftError).code).toBe('CONFIG_INVALID')
    return (error as WeftError).detail ?? []
  }
  return []
}

describe('readSettings', () => {
  it('gives typed values from defaults', () => {
    const settings = readSettings(table, { args: token, env: {} })
    const level: 'info' | 'debug' = settings.logLevel
    expect(level).toBe('info')
    expect(settings.admin).toEqual({ host: '127.0.0.1', port: 4191 })
    expect(settings.wait).toBe(5000)
    expect(settings.zipkin).toBeUndefined()
    expect(settings.strict).toBe(false)
  })

  it('prefers the flag to the environment, in both spellings', () => {
    const env = { T_LOG_LEVEL: 'debug', T_WAIT: '1h30m', T_ZIPKIN: '' }
    const settings = readSettings(table, { args: [...token, '--log-level=info', '--strict'], env })
    expect(settings).toMatchObject({ logLevel: 'info', wait: 5_400_000, strict: true, zipkin: undefined })
    expect(readSettings(table, { args: [...token, '--no-strict'], env: { T_STRICT: 'true' } }).strict).toBe(
      false,
    )
  })

  it('reports every problem at once, each by the name it was given under', () => {
    const args = ['--log-level', 'loud', '--wait', '10', '--unknown', 'x', '--sampling', '2', '--zipkin-url']
    expect(problemsOf(args, { T_ADMIN: 'nowhere' })).toEqual([
      '--unknown is not a setting',
      '--zipkin-url needs a value',
      '--log-level: "loud" is not one of info, debug',
      'T_ADMIN: "nowhere" is not host:port',
      '--token-file (or T_TOKEN) is required',
      '--wait: "10" is not a duration such as 250ms, 10s, 5m or 24h',
      '--sampling: 2 is above the most, 1',
    ])
  })

  it('says beside the rest what is required without another setting, and what others could reach', () => {
    const either = {
      file: { flag: '--file', env: 'T_FILE', kind: 'string', help: '' },
      server: { flag: '--server', env: 'T_SERVER', kind: 'address', requiredWithout: '--file', help: '' },
      plain: { flag: '--plain', env: 'T_PLAIN', kind: 'address', loopback: true, help: '' },
    } as const satisfies SettingsTable
    const problems = (args: readonly string[], env = {}) => {
      try {
        readSettings(either, { args, env })
      } catch (error) {
        return (error as WeftError).detail
      }
      return []
    }
    expect(problems(['--plain=0.0.0.0:1', '--nonsense'])).toEqual([
      '--nonsense is not a setting',
      '--server (or T_SERVER) is required',
      '--plain: 0.0.0.0:1 can be reached from other machines: it must be a loopback address',
    ])
    expect(problems(['--file=x', '--plain=127.0.0.1:1'])).toEqual([])
    expect(problems([], { T_FILE: 'x' })).toEqual([])
    expect(problems([], { T_FILE: '' })).toHaveLength(1)
  })

  it('refuses a file that is not there and a flag given twice', () => {
    const problems = problemsOf(['--token-file', '/no/such/file', '--wait', '1s', '--wait', '2s'])
    expect(problems[0]).toBe('--wait is given twice')
    expect(problems[1]).toMatch(/^--token-file: cannot be read: /)
  })
})

it('reads lists of ports and of networks, and names the part that is none', () => {
  const lists = {
    skip: { flag: '--skip', env: 'T_SKIP', kind: 'ports', default: '', help: 'Ports' },
    nets: { flag: '--nets', env: 'T_NETS', kind: 'subnets', default: '', help: 'Networks' },
  } as const satisfies SettingsTable
  expect(readSettings(lists, { args: [], env: {} })).toEqual({ skip: [], nets: [] })
  expect(readSettings(lists, { args: ['--skip=25,30-31', '--nets=10.0.0.0/8, ::1'], env: {} })).toEqual({
    skip: [
      { from: 25, to: 25 },
      { from: 30, to: 31 },
    ],
    nets: [
      { family: 4, address: '10.0.0.0', prefixLength: 8 },
      { family: 6, address: '::1', prefixLength: 128 },
    ],
  })
  expect(() => readSettings(lists, { args: ['--skip=25,x', '--nets=10.0.0.0/8,10.0.0'], env: {} })).toThrow(
    expect.objectContaining({
      detail: [
        '--skip: "25,x" is no list of ports such as 25,4567-4568',
        '--nets: "10.0.0" is no network such as 10.0.0.0/8',
      ],
    }),
  )
})

it('lists every setting with default and environment name', () => {
  const help = settingsHelp(table)
  expect(help.split('\n')).toHaveLength(7)
  expect(help).toContain('--log-level <info|debug>')
  expect(help).toContain('--strict[=true|false] ')
  expect(help).toContain('(default 5s) [T_WAIT]')
  expect(help).toContain('(required) [T_TOKEN]')
})

/** Settings of a process from flags and environment, declared in one table; every problem is reported at once. */
import { accessSync, constants } from 'node:fs'
import { isIP } from 'node:net'
import { type Address, formatAddress, isLoopback, parseAddress } from './address.ts'
import { parseBytes } from './bytes.ts'
import { parseDurationMs } from './duration.ts'
import { WeftError, reasonOf } from './errors.ts'
import { parseHttpUrl } from './http-url.ts'
import { parsePortRanges, type PortRange } from './port-ranges.ts'
import { parseSubnet, type Subnet } from './subnet.ts'

/** `file` must exist and be readable at start; `path` need not exist yet; `list`, `ports`, `subnets`, `interfaces` (`eth1`, `net+` for all that begin so) and `servers` (IP addresses, with a port or without) are separated by commas; `name` is one of an object in Kubernetes, `domain` one of a trust domain. */
export type SettingKind =
  | 'string'
  | 'name'
  | 'domain'
  | 'port'
  | 'durationMs'
  | 'bytes'
  | 'integer'
  | 'number'
  | 'boolean'
  | 'choice'
  | 'address'
  | 'file'
  | 'path'
  | 'list'
  | 'servers'
  | 'ports'
  | 'subnets'
  | 'interfaces'
  | 'url'

/** One setting. `default` is written as a user would write it. A flag wins over the environment. */
export type Setting = {
  readonly flag: `--${string}`
  readonly env: string
  readonly kind: SettingKind
  readonly help: string
  readonly default?: string
  readonly required?: boolean
  /** Required where the setting of that flag is not given. */
  readonly requiredWithout?: `--${string}`
  /** The values of a `choice`. */
  readonly choices?: readonly string[]
  /** Bounds of a `bytes`, `integer`, `number` or `durationMs`. */
  readonly min?: number
  readonly max?: number
  /** An `address` that no other machine can reach. */
  readonly loopback?: boolean
}

export type SettingsTable = Readonly<Record<string, Setting>>

type ValueOf<S extends Setting> = S['kind'] extends 'port' | 'durationMs' | 'bytes' | 'integer' | 'number'
  ? number
  : S['kind'] extends 'boolean'
    ? boolean
    : S['kind'] extends 'address'
      ? Address
      : S['kind'] extends 'list' | 'servers' | 'interfaces'
        ? readonly string[]
        : S['kind'] extends 'ports'
          ? readonly PortRange[]
          : S['kind'] extends 'subnets'
            ? readonly Subnet[]
            : S['kind'] extends 'choice'
              ? S['choices'] extends readonly (infer C)[]
                ? C
                : string
              : string

/** The typed result: a setting without default that is not required may be undefined. */
export type Settings<T extends SettingsTable> = {
  readonly [K in keyof T]: T[K] extends { readonly default: string } | { readonly required: true }
    ? ValueOf<T[K]>
    : ValueOf<T[K]> | undefined
}

export type SettingsInput = {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
}

type Value =
  | string
  | number
  | boolean
  | Address
  | readonly string[]
  | readonly PortRange[]
  | readonly Subnet[]

/** Reads the settings; throws CONFIG_INVALID whose detail lists every problem with flag and environment name. */
export function readSettings<const T extends SettingsTable>(table: T, input: SettingsInput): Settings<T> {
  const problems: string[] = []
  const flags = readFlags(table, input.args, problems)
  const lacks = (flag: string | undefined): boolean =>
    flag !== undefined &&
    !flags.has(flag) &&
    !Object.values(table).some((one) => one.flag === flag && input.env[one.env])
  const values: Record<string, Value | undefined> = {}
  for (const [name, setting] of Object.entries(table)) {
    const fromFlag = flags.get(setting.flag)
    const fromEnv = input.env[setting.env]
    const source = fromFlag !== undefined || fromEnv === undefined ? setting.flag : setting.env
    // An empty variable counts as not set: that is what manifests with an optional value produce.
    const text = fromFlag ?? (fromEnv === '' ? undefined : fromEnv) ?? setting.default
    if (text === undefined) {
      const isRequired = setting.required === true || lacks(setting.requiredWithout)
      if (isRequired) problems.push(`${setting.flag} (or ${setting.env}) is required`)
      values[name] = undefined
      continue
    }
    const parsed = parseValue(setting, text)
    if (parsed.problem !== undefined) problems.push(`${source}: ${parsed.problem}`)
    else values[name] = parsed.value
  }
  if (problems.length > 0) {
    throw new WeftError('CONFIG_INVALID', 'the settings are not usable', { detail: problems })
  }
  return Object.freeze(values) as Settings<T>
}

/** Whether the arguments ask what there is to be set. */
export function asksForHelp(args: readonly string[]): boolean {
  return args.includes('--help') || args.includes('-h')
}

/** The help text of a table, one setting a line. */
export function settingsHelp(table: SettingsTable): string {
  const rows = Object.values(table).map((setting) => {
    const kind = setting.choices?.join('|') ?? setting.kind.replace(/Ms$/, '')
    const note =
      setting.required === true
        ? ' (required)'
        : setting.requiredWithout !== undefined
          ? ` (required without ${setting.requiredWithout})`
          : setting.default
            ? ` (default ${setting.default})`
            : ''
    const left = setting.kind === 'boolean' ? `${setting.flag}[=true|false]` : `${setting.flag} <${kind}>`
    return [left, `${setting.help}${note} [${setting.env}]`] as const
  })
  const width = Math.max(0, ...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n')
}

function readFlags(table: SettingsTable, args: readonly string[], problems: string[]): Map<string, string> {
  const known = new Map(Object.values(table).map((setting) => [setting.flag as string, setting]))
  const found = new Map<string, string>()
  for (let i = 0; i < args.length; i++) {
    const [flag, ...rest] = (args[i] as string).split('=')
    const inline = rest.length > 0 ? rest.join('=') : undefined
    const setting = known.get(flag as string)
    const negated = flag?.startsWith('--no-') ? known.get(`--${flag.slice(5)}`) : undefined
    if (setting === undefined && negated?.kind === 'boolean' && inline === undefined) {
      found.set(negated.flag, 'false')
    } else if (setting === undefined) {
      problems.push(`${flag} is not a setting`)
      // Its value would otherwise be reported as a second problem.
      if (inline === undefined && args[i + 1]?.startsWith('--') === false) i++
    } else if (found.has(setting.flag)) {
      problems.push(`${setting.flag} is given twice`)
      if (inline === undefined && setting.kind !== 'boolean') i++
    } else if (inline !== undefined) {
      found.set(setting.flag, inline)
    } else if (setting.kind === 'boolean') {
      found.set(setting.flag, 'true')
    } else if (args[i + 1] === undefined || args[i + 1]?.startsWith('--')) {
      problems.push(`${setting.flag} needs a value`)
    } else {
      found.set(setting.flag, args[++i] as string)
    }
  }
  return found
}

type Parsed = { readonly value: Value; readonly problem?: undefined } | { readonly problem: string }

function parseValue(setting: Setting, text: string): Parsed {
  switch (setting.kind) {
    case 'string':
    case 'path':
      return text === '' ? { problem: 'must not be empty' } : { value: text }
    case 'name':
    case 'domain':
      return nameForms[setting.kind].test(text)
        ? { value: text }
        : { problem: `"${text}" is not a name: lower-case letters, digits, - and . alone` }
    case 'port':
      return inBounds(text, numberOf(text, /^\d{1,5}$/), 'a port', 0, 65535)
    case 'integer':
      return inBounds(text, numberOf(text, /^-?\d{1,15}$/), 'a whole number', setting.min, setting.max)
    case 'number':
      return inBounds(text, numberOf(text, /^-?\d{1,15}(\.\d+)?$/), 'a number', setting.min, setting.max)
    case 'durationMs': {
      const what = 'a duration such as 250ms, 10s, 5m or 24h'
      return inBounds(text, parseDurationMs(text), what, setting.min, setting.max)
    }
    case 'bytes':
      return inBounds(text, parseBytes(text), 'a size such as 512Ki, 128Mi or 1Gi', setting.min, setting.max)
    case 'boolean':
      return parseBoolean(text)
    case 'choice': {
      const choices = setting.choices ?? []
      return choices.includes(text)
        ? { value: text }
        : { problem: `"${text}" is not one of ${choices.join(', ')}` }
    }
    case 'address':
      return addressOf(text, setting.loopback === true)
    case 'file':
      return parseFile(text)
    case 'list':
      return { value: partsOf(text) }
    case 'servers': {
      const wrong = partsOf(text).find(
        (part) => isIP(part) === 0 && isIP(parseAddress(part)?.host ?? '') === 0,
      )
      return wrong === undefined
        ? { value: partsOf(text) }
        : { problem: `"${wrong}" is no IP address, with a port or without` }
    }
    case 'ports': {
      const ranges = parsePortRanges(text)
      return ranges === undefined
        ? { problem: `"${text}" is no list of ports such as 25,4567-4568` }
        : { value: ranges }
    }
    case 'subnets':
      return parseSubnets(text)
    case 'interfaces':
      return parseInterfaces(text)
    case 'url':
      return parseHttpUrl(text) === undefined
        ? { problem: `"${text}" is not like http://host:9411` }
        : { value: text }
  }
}

/** Less than Linux takes: it becomes part of a rule. */
const interfaceForm = /^[A-Za-z0-9][A-Za-z0-9_.-]*\+?$/

const nameForms = { name: /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, domain: /^[-a-z0-9._]{1,255}$/ }

function addressOf(text: string, onlyLoopback: boolean): Parsed {
  const address = parseAddress(text)
  if (address === undefined) return { problem: `"${text}" is not host:port` }
  return onlyLoopback && !isLoopback(address.host)
    ? {
        problem: `${formatAddress(address)} can be reached from other machines: it must be a loopback address`,
      }
    : { value: address }
}

function numberOf(text: string, form: RegExp): number | undefined {
  return form.test(text) ? Number(text) : undefined
}

function partsOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function parseInterfaces(text: string): Parsed {
  const names = partsOf(text)
  const wrong = names.find((name) => name.length > 15 || !interfaceForm.test(name))
  return wrong === undefined
    ? { value: names }
    : { problem: `"${wrong}" is no name of an interface such as eth1 or net+` }
}

function parseSubnets(text: string): Parsed {
  const subnets: Subnet[] = []
  for (const part of partsOf(text)) {
    const subnet = parseSubnet(part)
    if (subnet === undefined) return { problem: `"${part}" is no network such as 10.0.0.0/8` }
    subnets.push(subnet)
  }
  return { value: subnets }
}

function inBounds(text: string, value: number | undefined, what: string, min?: number, max?: number): Parsed {
  if (value === undefined) return { problem: `"${text}" is not ${what}` }
  if (min !== undefined && value < min) return { problem: `${text} is below the least, ${min}` }
  if (max !== undefined && value > max) return { problem: `${text} is above the most, ${max}` }
  return { value }
}

function parseBoolean(text: string): Parsed {
  if (text === 'true' || text === '1') return { value: true }
  if (text === 'false' || text === '0') return { value: false }
  return { problem: `"${text}" is not true or false` }
}

function parseFile(path: string): Parsed {
  try {
    accessSync(path, constants.R_OK)
    return { value: path }
  } catch (error) {
    return { problem: `cannot be read: ${reasonOf(error)}` }
  }
}

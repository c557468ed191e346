/** A TrafficPolicy's `balancer`. */
import {
  type BalancerSettings,
  type BalancingAlgorithm,
  defaultBalancer,
  type HashInput,
  type SlowStartSettings,
} from '../model/traffic-settings.ts'
import { FieldReader } from './field-reader.ts'

export const balancerTypes = [
  'PeakEWMA',
  'LeastRequest',
  'RoundRobin',
  'Random',
  'RingHash',
  'Maglev',
] as const
export type BalancerType = (typeof balancerTypes)[number]

export const zonePreferences = { Hints: 'hints', SameZone: 'same-zone', Disabled: 'disabled' } as const
export type ZonePreferenceName = keyof typeof zonePreferences
export const zonePreferenceNames = Object.keys(zonePreferences) as readonly ZonePreferenceName[]

/** Envoy's. */
const ringSizes = { least: 1024, most: 8_388_608 }
const maglevSizes = { usual: 65_537, most: 5_000_011 }

/** Settings of other algorithms than the one chosen would be ignored without a word. */
const settingsOf: Readonly<Record<BalancerType, string | undefined>> = {
  PeakEWMA: 'peakEwma',
  LeastRequest: 'leastRequest',
  RoundRobin: undefined,
  Random: undefined,
  RingHash: 'ringHash',
  Maglev: 'maglev',
}

function isPrime(number: number): boolean {
  if (number < 2) return false
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false
  return true
}

function readPeakEwma(field: FieldReader): BalancingAlgorithm {
  field.only(['decay', 'defaultLatency'])
  return {
    kind: 'peak-ewma',
    decayMs: field.at('decay').durationMs() ?? 10_000,
    defaultLatencyMs: field.at('defaultLatency').durationMs() ?? 30,
  }
}

function readRingHash(field: FieldReader): BalancingAlgorithm {
  field.only(['minimumRingSize', 'maximumRingSize'])
  const minRingSize = field.at('minimumRingSize').integer(1, ringSizes.most) ?? ringSizes.least
  const maxRingSize = field.at('maximumRingSize').integer(1, ringSizes.most) ?? ringSizes.most
  if (maxRingSize < minRingSize)
    field.at('maximumRingSize').problem('must not be smaller than minimumRingSize')
  return { kind: 'ring-hash', minRingSize, maxRingSize }
}

function readMaglev(field: FieldReader): BalancingAlgorithm {
  field.only(['tableSize'])
  const tableSize = field.at('tableSize').integer(2, maglevSizes.most) ?? maglevSizes.usual
  if (!isPrime(tableSize)) field.at('tableSize').problem('must be a prime number')
  return { kind: 'maglev', tableSize }
}

/** The algorithm `type` with the settings that `field`, the whole balancer, has for it. */
function readAlgorithm(type: BalancerType, field: FieldReader): BalancingAlgorithm {
  switch (type) {
    case 'PeakEWMA':
      return readPeakEwma(field.at('peakEwma'))
    case 'LeastRequest': {
      const settings = field.at('leastRequest')
      settings.only(['choices'])
      return { kind: 'least-request', choices: settings.at('choices').integer(2, 100) ?? 2 }
    }
    case 'RoundRobin':
      return { kind: 'round-robin' }
    case 'Random':
      return { kind: 'random' }
    case 'RingHash':
      return readRingHash(field.at('ringHash'))
    case 'Maglev':
      return readMaglev(field.at('maglev'))
  }
}

/** The algorithm with nothing set. */
export function defaultAlgorithm(type: BalancerType): BalancingAlgorithm {
  return readAlgorithm(type, new FieldReader(undefined, []))
}

function readCookie(field: FieldReader): HashInput {
  field.only(['name', 'ttl', 'path'])
  return {
    kind: 'cookie',
    name: field.at('name').requiredString(),
    ttlMs: field.at('ttl').durationMs('zero'),
    path: field.at('path').string(),
  }
}

function readHashInput(field: FieldReader): HashInput[] {
  field.only(['header', 'cookie', 'query', 'sourceIp'])
  const inputs: HashInput[] = []
  const query = field.at('query').string()
  if (field.at('header').present) inputs.push({ kind: 'header', name: field.at('header').headerName() })
  if (field.at('cookie').present) inputs.push(readCookie(field.at('cookie')))
  if (query !== undefined) inputs.push({ kind: 'query', name: query })
  if (field.at('sourceIp').boolean() === true) inputs.push({ kind: 'source-ip' })
  if (inputs.length !== 1) field.problem('must have one of header, cookie, query and sourceIp: true')
  return inputs
}

function readSlowStart(field: FieldReader): SlowStartSettings | undefined {
  if (!field.present) return undefined
  field.only(['window', 'minWeightPercent', 'aggression'])
  if (!field.at('window').present) field.at('window').problem('is required')
  const windowMs = field.at('window').durationMs()
  const minWeightPercent = field.at('minWeightPercent').number(0.1, 100) ?? 10
  const aggression = field.at('aggression').number(0.1, 100) ?? 1
  return windowMs === undefined ? undefined : { windowMs, minWeightPercent, aggression }
}

/** What does not go together, for every source of settings; `report` is told the part and why. */
export function checkBalancer(
  { algorithm, hash, slowStart, zonePreference }: BalancerSettings,
  report: (part: 'hash' | 'slowStart' | 'zonePreference', problem: string) => void,
): void {
  const hashing = algorithm.kind === 'ring-hash' || algorithm.kind === 'maglev'
  if (hashing && hash.length === 0) report('hash', 'must say what to hash')
  if (!hashing && hash.length > 0) report('hash', 'needs a balancer of type RingHash or Maglev')
  if (slowStart !== undefined && (hashing || algorithm.kind === 'random'))
    report('slowStart', `does not go together with ${algorithm.kind}`)
  if (hashing && zonePreference === 'same-zone')
    report('zonePreference', `does not go together with ${algorithm.kind}`)
}

export function readBalancer(field: FieldReader): BalancerSettings | undefined {
  if (!field.present) return undefined
  field.only(['type', ...Object.values(settingsOf).flatMap((name) => name ?? []), ...common])
  const type = field.at('type').choice(balancerTypes) ?? 'PeakEWMA'
  for (const name of Object.values(settingsOf))
    if (name !== undefined && name !== settingsOf[type] && field.at(name).present)
      field.at(name).problem(`is not for a balancer of type ${type}`)
  const zone = field.at('zonePreference').choice(zonePreferenceNames)
  const balancer: BalancerSettings = {
    algorithm: readAlgorithm(type, field),
    hash: field.at('hash').list().flatMap(readHashInput),
    slowStart: readSlowStart(field.at('slowStart')),
    zonePreference: zone === undefined ? defaultBalancer.zonePreference : zonePreferences[zone],
  }
  checkBalancer(balancer, (part, problem) => field.at(part).problem(problem))
  return balancer
}

const common = ['hash', 'slowStart', 'zonePreference']

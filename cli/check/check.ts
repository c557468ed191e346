/** One thing that was checked, and how all of them are shown. Pure. */
import { type Colour, paint } from '../colour.ts'
import type { Screen } from '../output.ts'

export type CheckCategory =
  | 'kubernetes-api'
  | 'before-installing'
  | 'installation'
  | 'webhook'
  | 'control-plane'
  | 'identity'
  | 'configuration'
  | 'policy'
  | 'version'
  | 'data-plane'

export type Check = {
  readonly category: CheckCategory
  /** A stable word for what was found. */
  readonly id: string
  /** `unknown`: it could not be asked. */
  readonly outcome: 'ok' | 'warning' | 'fails' | 'unknown'
  readonly message: string
  /** What to do; empty where all is well. */
  readonly hint: string
}

export function good(category: CheckCategory, id: string, message: string): Check {
  return { category, id, outcome: 'ok', message, hint: '' }
}

export function failing(category: CheckCategory, id: string, message: string, hint: string): Check {
  return { category, id, outcome: 'fails', message, hint }
}

export function warning(category: CheckCategory, id: string, message: string, hint: string): Check {
  return { category, id, outcome: 'warning', message, hint }
}

export function unasked(category: CheckCategory, id: string, message: string, hint: string): Check {
  return { category, id, outcome: 'unknown', message, hint }
}

/** 1 as soon as something fails. */
export function exitStatus(checks: readonly Check[]): 0 | 1 {
  return checks.some(({ outcome }) => outcome === 'fails') ? 1 : 0
}

const colours = { ok: 'green', warning: 'yellow', fails: 'red', unknown: 'yellow' } as const satisfies Record<
  Check['outcome'],
  Colour
>
const signs = { ok: '√', warning: '‼', fails: '×', unknown: '?' } as const

function line({ outcome, message, id, hint }: Check, { colour }: Pick<Screen, 'colour'>): string {
  const what = `${paint(signs[outcome], colour ? colours[outcome] : undefined)} ${message}\n`
  return hint === '' ? what : `${what}    ${id}: ${hint}\n`
}

/** `short`: only what is not well. */
export function checksText(
  checks: readonly Check[],
  short: boolean,
  { colour }: Pick<Screen, 'colour'>,
): string {
  const shown = short ? checks.filter(({ outcome }) => outcome !== 'ok') : checks
  const sections = [...Map.groupBy(shown, ({ category }) => category)].map(
    ([category, list]) => `${category}\n${list.map((check) => line(check, { colour })).join('')}`,
  )
  const count = (outcome: Check['outcome']): number =>
    checks.filter((check) => check.outcome === outcome).length
  const [warnings, unknown] = [count('warning'), count('unknown')]
  const besides = [
    ...(warnings > 0 ? [`${warnings} with a warning`] : []),
    ...(unknown > 0 ? [`${unknown} could not be made`] : []),
  ]
  const verdict =
    count('fails') > 0
      ? `${count('fails')} of ${checks.length} checks fail.`
      : `${unknown > 0 ? 'No check fails' : 'All checks pass'}${besides.map((text) => `, ${text}`).join('')}.`
  return [...sections, `${verdict}\n`].join('\n')
}

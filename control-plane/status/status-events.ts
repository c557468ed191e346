/** What became wrong or right again between two statuses of an object, as Events have to tell it. Pure. */
import { controllerName } from './merged-status.ts'

export type StatusEvent = {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

type Condition = {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
}
type Entry = { readonly controllerName?: unknown; readonly parentRef?: object; readonly conditions?: unknown }

const ourTypes: ReadonlySet<string> = new Set(['Accepted', 'ResolvedRefs', 'Programmed', 'PartiallyInvalid'])

function conditionsIn(value: unknown): readonly Condition[] {
  if (!Array.isArray(value)) return []
  return value.filter((one): one is Condition => typeof one === 'object' && one !== null)
}

function entriesIn(status: unknown): readonly Entry[] {
  const { parents } = (status ?? {}) as { readonly parents?: unknown }
  const entries = Array.isArray(parents) ? (parents as readonly Entry[]) : []
  return entries.filter((entry) => entry?.controllerName === controllerName)
}

/** By parent; what has none (a split, a policy) has its conditions at ''. */
function groupsOf(status: unknown): ReadonlyMap<string, readonly Condition[]> {
  const groups = new Map<string, readonly Condition[]>()
  for (const { parentRef, conditions } of entriesIn(status))
    groups.set(JSON.stringify(parentRef), conditionsIn(conditions))
  const { conditions } = (status ?? {}) as { readonly conditions?: unknown }
  if (conditions !== undefined) groups.set('', conditionsIn(conditions))
  return groups
}

function isWrong({ type, status }: Condition): boolean {
  return type === 'PartiallyInvalid' ? status === 'True' : status === 'False'
}

function wrongIn(conditions: readonly Condition[]): readonly Condition[] {
  const accepted = conditions.find(({ type }) => type === 'Accepted')
  return conditions.filter((one) => {
    // Not programmed because not accepted: said once.
    const saidAlready = one.type === 'Programmed' && one.reason === accepted?.reason
    return ourTypes.has(one.type) && isWrong(one) && !saidAlready
  })
}

function changesOf(before: readonly Condition[], after: readonly Condition[]): readonly StatusEvent[] {
  const wrongBefore = wrongIn(before)
  const wrongAfter = wrongIn(after)
  const news = wrongAfter.filter(
    ({ type, reason, message }) =>
      !wrongBefore.some((one) => one.type === type && one.reason === reason && one.message === message),
  )
  const rightAgain = wrongBefore.filter(({ type }) => !wrongAfter.some((one) => one.type === type))
  return [
    ...news.map(({ reason, message }) => ({ type: 'Warning' as const, reason, message })),
    ...rightAgain.map(({ type, reason }) => ({
      type: 'Normal' as const,
      reason: 'Resolved',
      message: `${type}: no longer ${reason}`,
    })),
  ]
}

/** Each thing once, also when several parents of a route say it. */
export function statusEvents(before: unknown, after: unknown): readonly StatusEvent[] {
  const earlier = groupsOf(before)
  const events = [...groupsOf(after)].flatMap(([parent, conditions]) =>
    changesOf(earlier.get(parent) ?? [], conditions),
  )
  return [...new Map(events.map((event) => [JSON.stringify(event), event])).values()]
}

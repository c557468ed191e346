/** What the status of an object has to be, from what it is and what we have to say: what others say in it stays. Pure. */
/** Tells our entries from those of other controllers. */
export const controllerName = 'weft.dev/control-plane'

type Fields = Readonly<Record<string, unknown>>
export type Condition = {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
}
export type Observation = { readonly generation: number; readonly now: string }

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : []
}

/** A condition that keeps its status keeps the time since when it has had it. */
function dated(
  before: readonly Fields[],
  conditions: readonly Condition[],
  { generation, now }: Observation,
): object[] {
  return conditions.map(({ type, status, reason, message }) => {
    const same = before.find((one) => one['type'] === type && one['status'] === status)
    return {
      type,
      status,
      reason,
      message,
      observedGeneration: generation,
      lastTransitionTime: same?.['lastTransitionTime'] ?? now,
    }
  })
}

/** Of a route: one entry for each of its parents that is ours. */
export function mergedRouteStatus(
  current: unknown,
  {
    parents,
  }: {
    readonly parents: readonly { readonly parentRef: object; readonly conditions: readonly Condition[] }[]
  },
  seen: Observation,
): object {
  const entries = listOf(fieldsOf(current)['parents'])
  const others = entries.filter((entry) => entry['controllerName'] !== controllerName)
  const ours = entries.filter((entry) => entry['controllerName'] === controllerName)
  return {
    ...fieldsOf(current),
    parents: [
      ...others,
      ...parents.map(({ parentRef, conditions }) => {
        const written = JSON.stringify(parentRef)
        const before = ours.find((entry) => JSON.stringify(entry['parentRef']) === written)
        return {
          parentRef,
          controllerName,
          conditions: dated(listOf(before?.['conditions']), conditions, seen),
        }
      }),
    ],
  }
}

/** Of a split or a policy: conditions of types that are not ours stay. */
export function mergedConditions(
  current: unknown,
  conditions: readonly Condition[],
  seen: Observation,
): object {
  const before = listOf(fieldsOf(current)['conditions'])
  const types = new Set<unknown>(conditions.map(({ type }) => type))
  return {
    ...fieldsOf(current),
    conditions: [...before.filter(({ type }) => !types.has(type)), ...dated(before, conditions, seen)],
  }
}

/** What is said of an object whose newest form is refused: in its status where it has one of ours, else in an Event. Pure. */
import { formatProblem, type FieldProblem } from '../kubernetes-objects/field-reader.ts'
import { type Condition, mergedConditions, mergedRouteStatus, type Observation } from './merged-status.ts'
import type { StatusEvent } from './status-events.ts'
import type { Subject } from './status-subject.ts'

/** As long as the API server takes one is longer than anybody reads. */
const maxMessageLength = 4096
const stays = 'what it was before stays in force'

type Fields = Readonly<Record<string, unknown>>

function refused(type: 'Accepted' | 'Programmed', reason: string, problems: readonly string[]): Condition {
  const message = `${problems.join('; ').slice(0, maxMessageLength)}; ${stays}`
  return { type, status: 'False', reason, message }
}

/** The Services among its parents, as they are written. */
function parentsOf(object: unknown): readonly object[] {
  const { spec } = (object ?? {}) as Fields
  const { parentRefs } = (spec ?? {}) as Fields
  const listed = Array.isArray(parentRefs) ? (parentRefs as readonly (Fields | null)[]) : []
  return listed.filter(
    (parent): parent is Fields =>
      parent?.['kind'] === 'Service' && (parent['group'] === '' || parent['group'] === 'core'),
  )
}

/** The object's status with what is wrong in it; others' entries stay. */
export function refusedStatus(
  kind: Subject['kind'],
  object: { readonly status?: unknown },
  problems: readonly FieldProblem[],
  seen: Observation,
): object {
  const told = problems.map(formatProblem)
  switch (kind) {
    case 'route':
    case 'grpcRoute': {
      // The Gateway API's word for it.
      const conditions = [refused('Accepted', 'UnsupportedValue', told)]
      const parents = parentsOf(object).map((parentRef) => ({ parentRef, conditions }))
      return mergedRouteStatus(object.status, { parents }, seen)
    }
    case 'split': {
      const conditions = (['Accepted', 'Programmed'] as const).map((type) => refused(type, 'Invalid', told))
      return mergedConditions(object.status, conditions, seen)
    }
    case 'policy':
    case 'accessPolicy':
    case 'trafficTarget':
    case 'identityBinding':
      return mergedConditions(object.status, [refused('Accepted', 'Invalid', told)], seen)
  }
}

/** Of an object that has no status of ours. */
export function refusalEvent(problems: readonly string[]): StatusEvent {
  return { type: 'Warning', reason: 'Invalid', message: `${problems.join('; ')}; ${stays}` }
}

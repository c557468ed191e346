/** A line of a watch -> what it says. Pure. */
import { statusMessage } from '../../../core/kubernetes/api-failure.ts'

export type WatchEvent =
  | { readonly kind: 'put' | 'remove'; readonly object: unknown; readonly resourceVersion: string }
  | { readonly kind: 'bookmark'; readonly resourceVersion: string }
  /** The version that was asked for is compacted away: everything has to be listed anew. */
  | { readonly kind: 'expired' }
  | { readonly kind: 'failed'; readonly reason: string; readonly retryAfterMs: number | undefined }

type Fields = { readonly [key: string]: unknown }

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

function readStatus(object: unknown): WatchEvent {
  const { code, reason, details } = fieldsOf(object)
  if (code === 410 || reason === 'Expired' || reason === 'Gone') return { kind: 'expired' }
  const seconds = fieldsOf(details)['retryAfterSeconds']
  return {
    kind: 'failed',
    reason: `${typeof code === 'number' ? code : 'no code'} ${statusMessage(object) ?? ''}`.trim(),
    retryAfterMs: typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : undefined,
  }
}

/** Anything that is no event of the watch protocol reads as failed. */
export function readWatchEvent(line: unknown): WatchEvent {
  const { type, object } = fieldsOf(line)
  if (type === 'ERROR') return readStatus(object)
  const { resourceVersion } = fieldsOf(fieldsOf(object)['metadata'])
  if (typeof resourceVersion !== 'string')
    return { kind: 'failed', reason: 'an event without a resourceVersion', retryAfterMs: undefined }
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
      return { kind: 'put', object, resourceVersion }
    case 'DELETED':
      return { kind: 'remove', object, resourceVersion }
    case 'BOOKMARK':
      return { kind: 'bookmark', resourceVersion }
    default:
      return {
        kind: 'failed',
        reason: `an event of unknown type ${String(type)}`,
        retryAfterMs: undefined,
      }
  }
}

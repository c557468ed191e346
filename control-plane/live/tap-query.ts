/** What a viewer asks a tap for: which sidecars, which of their exchanges, how many a second. Pure. */
import { grpcStatusNamed } from '../../api/grpc-status.ts'
import type { LiveWorkload } from '../../api/live.ts'
import type { Messages } from '../../api/xds/messages.ts'

export type TapQuery = {
  readonly namespace: string | undefined
  /** Kind and name, or the name alone. */
  readonly workload: { readonly kind: string | undefined; readonly name: string } | undefined
  readonly filter: Messages['weft.tap.v1alpha1.Filter']
  readonly maxPerSecond: number
}

const usualPerSecond = 100
const mostPerSecond = 10_000
const longestText = 1_024

/** The query, or what is wrong with it. */
export function parseTapQuery(query: URLSearchParams): TapQuery | string {
  const problems: string[] = []
  const text = (name: string): string => {
    const value = query.get(name) ?? ''
    if (value.length > longestText) problems.push(`${name} is too long`)
    return value
  }
  const number = (name: string, usual: number): number => {
    const value = query.has(name) ? Number(query.get(name)) : usual
    if (!Number.isFinite(value) || value < 0) problems.push(`${name} must be a number, 0 or more`)
    return value
  }
  const direction = text('direction')
  if (!['', 'inbound', 'outbound'].includes(direction)) problems.push('direction is inbound or outbound')
  const status = /^(?:([1-5])xx|([1-5][0-9]{2}))?$/.exec(text('status'))
  if (status === null) problems.push('status is like 503 or 5xx')
  const asked = text('grpcStatus')
  const grpcStatus = asked === 'failed' ? asked : grpcStatusNamed(asked)
  if (asked !== '' && grpcStatus === undefined) problems.push('grpcStatus is like UNAVAILABLE, 14 or failed')
  const [kindOrName = '', name] = text('workload').split('/')
  const parsed: TapQuery = {
    namespace: text('namespace') || undefined,
    workload:
      kindOrName === ''
        ? undefined
        : { kind: name === undefined ? undefined : kindOrName.toLowerCase(), name: name ?? kindOrName },
    filter: {
      direction,
      method: text('method').toUpperCase(),
      pathPrefix: pathPrefix(text('pathPrefix')),
      ...statusRange(status?.[1], status?.[2]),
      ...(grpcStatus !== undefined && { grpcStatus }),
      leastLatencyMs: number('minMs', 0),
      peer: text('peer'),
    },
    maxPerSecond: Math.min(mostPerSecond, number('maxPerSecond', usualPerSecond)),
  }
  return problems.length === 0 ? parsed : problems.join('; ')
}

/** Every path begins with a slash (but for `*` of OPTIONS), whether somebody writes it or not. */
function pathPrefix(text: string): string {
  return text === '' || /^[/*]/.test(text) ? text : `/${text}`
}

function statusRange(hundred: string | undefined, exact: string | undefined) {
  if (exact !== undefined) return { leastStatus: Number(exact), mostStatus: Number(exact) }
  if (hundred === undefined) return {}
  return { leastStatus: Number(hundred) * 100, mostStatus: Number(hundred) * 100 + 99 }
}

/** Whether a workload's sidecars are to look. */
export function concerns({ namespace, workload }: TapQuery, source: LiveWorkload): boolean {
  if (namespace !== undefined && namespace !== source.namespace) return false
  if (workload === undefined) return true
  return (
    workload.name === source.name &&
    (workload.kind === undefined || workload.kind === source.kind.toLowerCase())
  )
}

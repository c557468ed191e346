/** `weft split`: what each TrafficSplit says, what is done, and why the two differ. */
import type { SplitPage } from '../control-plane/status/split-journal.ts'
import { WeftError } from '../core/errors.ts'
import { formatDuration } from '../core/duration.ts'
import { formatQuantityMilli } from '../core/kubernetes/quantity.ts'
import { adminAuthority } from './admin-address.ts'

const timeoutMs = 5_000

/** What a left-out backend's reason means, in a few words. */
const reasons: Readonly<
  Record<NonNullable<SplitPage['ports'][number]['backends'][number]['leftOut']>, string>
> = {
  BackendUnknown: 'no Service of this name',
  BackendWithoutPort: 'has not this port',
  ZeroWeight: 'weighs nothing',
  NoReadyEndpoint: 'no ready endpoint, its share goes to the others',
  NotInForce: 'the split does not count here',
}

export type SplitOptions = {
  readonly admin: string
  readonly name: string | undefined
  readonly namespace: string | undefined
  readonly output: 'table' | 'json'
}

/** The text for people or machines. Throws CONFIG_INVALID, CONTROL_PLANE_UNREACHABLE or RESOURCE_UNKNOWN. */
export async function describeSplits(options: SplitOptions, wallMs: number): Promise<string> {
  const pages = await fetchSplits(options)
  if (pages.length === 0 && options.name !== undefined) {
    const where = options.namespace === undefined ? 'any namespace' : `namespace '${options.namespace}'`
    throw new WeftError('RESOURCE_UNKNOWN', `there is no TrafficSplit '${options.name}' in ${where}`)
  }
  if (options.output === 'json') return `${JSON.stringify(pages, undefined, 2)}\n`
  if (pages.length === 0) return 'There are no TrafficSplits.\n'
  return [table(rows(pages)), ...pages.map((page) => remarks(page, wallMs))]
    .filter((part) => part !== '')
    .join('\n')
}

async function fetchSplits({ admin, name, namespace }: SplitOptions): Promise<readonly SplitPage[]> {
  const url = new URL(`http://${adminAuthority(admin, '--admin')}/splits`)
  if (name !== undefined) url.searchParams.set('name', name)
  if (namespace !== undefined) url.searchParams.set('namespace', namespace)
  let text: string
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) })
    text = await response.text()
    if (!response.ok) throw new Error(`it answered ${response.status}`)
  } catch (error) {
    throw new WeftError(
      'CONTROL_PLANE_UNREACHABLE',
      `the admin server of the control plane at ${admin} does not answer`,
      {
        cause: error,
      },
    )
  }
  return (JSON.parse(text) as { splits: SplitPage[] }).splits
}

const columns = ['NAMESPACE', 'NAME', 'APEX', 'PORT', 'BACKEND', 'WEIGHT', 'SHARE', 'READY', 'REMARK']

function rows(pages: readonly SplitPage[]): readonly (readonly string[])[] {
  return pages.flatMap(({ namespace, name, apex, ports }) => {
    if (ports.length === 0) return [[namespace, name, apex, '-', '-', '-', '-', '-', '']]
    return ports.flatMap(({ port, backends }) =>
      backends.map((backend) => [
        namespace,
        name,
        apex,
        String(port),
        backend.service,
        formatQuantityMilli(backend.weightMilli),
        `${backend.sharePercent.toFixed(1)}%`,
        String(backend.readyEndpoints),
        backend.leftOut === undefined ? '' : reasons[backend.leftOut],
      ]),
    )
  })
}

function table(lines: readonly (readonly string[])[]): string {
  const all = [columns, ...lines]
  const widths = columns.map((_, i) => Math.max(...all.map((line) => (line[i] as string).length)))
  return all
    .map(
      (line) =>
        `${line
          .map((cell, i) => cell.padEnd(widths[i] as number))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

/** What a table has no room for; empty when all is well and nothing has happened. */
function remarks({ namespace, name, matches, conditions, events }: SplitPage, wallMs: number): string {
  const lines = [
    ...(matches.length === 0 ? [] : [`  splits only what ${matches.join(' or ')} matches`]),
    ...conditions
      .filter((condition) => condition.message !== '')
      .map(({ type, status, reason, message }) => `  ${type}=${status} (${reason}): ${message}`),
    ...events.map(({ type, reason, message, count, lastMs }) => {
      const ago = formatDuration(Math.floor(Math.max(0, wallMs - lastMs) / 1000) * 1000)
      return `  ${ago} ago${count > 1 ? ` (${count} times)` : ''} ${type} ${reason}: ${message}`
    }),
  ]
  return lines.length === 0 ? '' : `${namespace}/${name}\n${lines.join('\n')}\n`
}

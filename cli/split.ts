/** `weft split`: what each TrafficSplit says, what is done, and why the two differ. */
import type { SplitPage } from '../control-plane/status/split-journal.ts'
import { WeftError } from '../core/errors.ts'
import { formatDuration } from '../core/duration.ts'
import { formatQuantityMilli } from '../core/kubernetes/quantity.ts'
import { machineText, type OutputForm, type Screen } from './output.ts'
import { type MeshAccess, readPage } from './reach/mesh-access.ts'
import { tableText } from './text-table.ts'

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
  readonly name: string | undefined
  readonly namespace: string | undefined
  readonly output: OutputForm
}

/** The text for people or machines; `wallMs` undefined: nothing in it grows old by itself. Rejects with CONTROL_PLANE_UNREACHABLE or RESOURCE_UNKNOWN. */
export async function describeSplits(
  access: MeshAccess,
  options: SplitOptions,
  screen: Screen,
  wallMs: number | undefined,
): Promise<string> {
  const pages = await fetchSplits(access, options)
  if (pages.length === 0 && options.name !== undefined) {
    const where = options.namespace === undefined ? 'any namespace' : `namespace '${options.namespace}'`
    throw new WeftError('RESOURCE_UNKNOWN', `there is no TrafficSplit '${options.name}' in ${where}`)
  }
  const machine = machineText(pages, options.output)
  if (machine !== undefined) return machine
  if (pages.length === 0) return 'There are no TrafficSplits.\n'
  const shown = { columns, rows: rows(pages), spare: ['APEX', 'NAMESPACE', 'PORT', 'READY'] }
  return [tableText(shown, screen, options.output === 'wide'), ...pages.map((page) => remarks(page, wallMs))]
    .filter((part) => part !== '')
    .join('\n')
}

async function fetchSplits(
  access: MeshAccess,
  { name, namespace }: SplitOptions,
): Promise<readonly SplitPage[]> {
  const query = new URLSearchParams({
    ...(name !== undefined && { name }),
    ...(namespace !== undefined && { namespace }),
  })
  return (await readPage<{ splits: SplitPage[] }>(access, `/splits?${query.toString()}`)).splits
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

/** What a table has no room for; empty when all is well and nothing has happened. */
function remarks({ namespace, name, matches, conditions, events }: SplitPage, wallMs?: number): string {
  const lines = [
    ...(matches.length === 0 ? [] : [`  splits only what ${matches.join(' or ')} matches`]),
    ...conditions
      .filter((condition) => condition.message !== '')
      .map(({ type, status, reason, message }) => `  ${type}=${status} (${reason}): ${message}`),
    ...events.map(({ type, reason, message, count, lastMs }) => {
      return `  ${when(lastMs, wallMs)}${count > 1 ? ` (${count} times)` : ''} ${type} ${reason}: ${message}`
    }),
  ]
  return lines.length === 0 ? '' : `${namespace}/${name}\n${lines.join('\n')}\n`
}

function when(lastMs: number, wallMs: number | undefined): string {
  if (wallMs === undefined) return new Date(lastMs).toISOString()
  return `${formatDuration(Math.floor(Math.max(0, wallMs - lastMs) / 1000) * 1000)} ago`
}

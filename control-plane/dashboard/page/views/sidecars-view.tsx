/** Every connected sidecar: what it is, since when, and how long its certificate lasts. */
import { useState } from 'preact/hooks'
import type { LiveSidecar } from '../../../../api/live.ts'
import type { MeshData } from '../data/use-mesh.ts'
import { certificateState } from '../model/certificate-age.ts'
import { formatSpan } from '../model/format.ts'
import { Empty } from '../parts/empty.tsx'
import { FigureStrip } from '../parts/figure-strip.tsx'
import { SearchBox } from '../parts/search-box.tsx'
import { type Column, SortTable } from '../parts/sort-table.tsx'
import { NoTraffic } from './no-traffic.tsx'

const words = {
  good: (left: string) => left,
  ending: (left: string) => `${left}, not renewed`,
  ended: (left: string) => `ended ${left} ago`,
  none: () => 'none',
} as const

function Certificate({ sidecar, nowMs }: { readonly sidecar: LiveSidecar; readonly nowMs: number }) {
  const state = certificateState(sidecar, nowMs)
  const left = formatSpan(Math.abs((sidecar.certificateNotAfterMs ?? nowMs) - nowMs))
  return <span class={`certificate ${state}`}>{words[state](left)}</span>
}

function columnsOf(nowMs: number, usual: string): readonly Column<LiveSidecar>[] {
  return [
    {
      title: 'Pod',
      value: ({ workload, pod }) => `${workload.namespace}/${pod}`,
      cell: ({ workload, pod }) => (
        <>
          <span class="namespace">{workload.namespace}/</span>
          {pod}
        </>
      ),
    },
    {
      title: 'Workload',
      value: ({ workload }) => workload.name,
      cell: ({ workload }) => (
        <>
          {workload.name} <span class="kind">{workload.kind}</span>
        </>
      ),
    },
    { title: 'Identity', value: ({ identity }) => identity, cell: ({ identity }) => <code>{identity}</code> },
    {
      title: 'Version',
      value: ({ version }) => version,
      cell: ({ version }) =>
        version === usual ? version : <span class="differs">{version || 'unknown'} (differs)</span>,
    },
    {
      title: 'Connected for',
      number: true,
      value: ({ connectedAtMs }) => nowMs - connectedAtMs,
      cell: ({ connectedAtMs }) => formatSpan(nowMs - connectedAtMs),
    },
    {
      title: 'Certificate ends in',
      value: ({ certificateNotAfterMs }) => certificateNotAfterMs ?? 0,
      cell: (sidecar) => <Certificate sidecar={sidecar} nowMs={nowMs} />,
    },
  ]
}

/** The version that most have. */
function usualVersion(sidecars: readonly LiveSidecar[]): string {
  const groups = Map.groupBy(sidecars, ({ version }) => version)
  return [...groups].toSorted(([, a], [, b]) => b.length - a.length)[0]?.[0] ?? ''
}

function Summary({ sidecars, nowMs }: { readonly sidecars: readonly LiveSidecar[]; readonly nowMs: number }) {
  const ends = sidecars.flatMap(({ certificateNotAfterMs }) => certificateNotAfterMs ?? [])
  const versions = new Set(sidecars.map(({ version }) => version)).size
  const troubled = sidecars.filter((sidecar) => certificateState(sidecar, nowMs) !== 'good').length
  const usual = usualVersion(sidecars)
  const figures = [
    { label: 'Connected', value: String(sidecars.length) },
    {
      label: 'Version',
      value: usual || 'unknown',
      note: versions > 1 ? `and ${versions - 1} other` : 'all the same',
    },
    {
      label: 'Next certificate ends',
      value: ends.length === 0 ? '–' : `in ${formatSpan(Math.min(...ends) - nowMs)}`,
    },
    {
      label: 'Certificates in trouble',
      value: String(troubled),
      note: 'ended, about to, or not there',
    },
  ]
  return <FigureStrip figures={figures} />
}

function matches({ workload, pod, identity }: LiveSidecar, wanted: string): boolean {
  return [workload.namespace, workload.name, pod, identity].some((text) => text.includes(wanted))
}

export function SidecarsView({ data }: { readonly data: MeshData }) {
  const [wanted, setWanted] = useState('')
  const { mesh } = data
  if (mesh === undefined || mesh.sidecars.length === 0) {
    return (
      <>
        <div class="heading">
          <h1>Sidecars</h1>
        </div>
        <NoTraffic data={data} />
      </>
    )
  }
  const shown = mesh.sidecars.filter((sidecar) => matches(sidecar, wanted))
  return (
    <>
      <div class="heading">
        <h1>Sidecars</h1>
        <p>Connected to this control plane</p>
        <SearchBox label="Filter by name or identity" value={wanted} onInput={setWanted} />
      </div>
      <Summary sidecars={mesh.sidecars} nowMs={mesh.atMs} />
      {shown.length === 0 ? (
        <Empty title={`No sidecar has ‘${wanted}’ in its names`} />
      ) : (
        <SortTable
          caption="Sidecars"
          columns={columnsOf(mesh.atMs, usualVersion(mesh.sidecars))}
          rows={shown}
          keyOf={({ workload, pod }) => `${workload.namespace}/${pod}`}
        />
      )}
    </>
  )
}

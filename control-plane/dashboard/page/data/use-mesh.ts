/** Everything that the views show, in one place: the live figures, and the pages that say what is configured. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { LiveMesh } from '../../../../api/live.ts'
import type { ServiceReport } from '../../../model/service-report.ts'
import type { SplitPage } from '../../../status/split-journal.ts'
import { GraphMemory } from '../model/graph-memory.ts'
import { ShareHistory } from '../model/share-history.ts'
import { splitFigures } from '../model/split-figures.ts'
import { type Connection, type FeedState, followMesh } from './live-feed.ts'
import { useJson } from './use-json.ts'

const servicesEveryMs = 5_000
/** Often enough to see a canary's step when it is made. */
const splitsEveryMs = 1_000
const nothing: readonly never[] = []

export type MeshData = {
  readonly connection: Connection
  /** Undefined until the first figures came. */
  readonly mesh: LiveMesh | undefined
  readonly services: readonly ServiceReport[]
  readonly splits: readonly SplitPage[]
  readonly history: ShareHistory
}

type Named = { readonly namespace: string; readonly name: string }

/** Services whose requests are shared out. */
function splitServices(splits: readonly SplitPage[], services: readonly ServiceReport[]): readonly Named[] {
  const apexes = splits.map(({ namespace, apex }) => ({ namespace, name: apex }))
  const routed = services.filter(({ ports }) =>
    ports.some(({ rules }) => rules.some(({ backends }) => backends.length > 1)),
  )
  const all = new Map([...apexes, ...routed].map((named) => [`${named.namespace}/${named.name}`, named]))
  return [...all.values()]
}

export function useMesh(): MeshData {
  const [feed, setFeed] = useState<FeedState>({ connection: { state: 'connecting' }, mesh: undefined })
  const memory = useRef(new GraphMemory()).current
  const history = useRef(new ShareHistory()).current
  const services = useJson<{ services: readonly ServiceReport[] }>('/services', servicesEveryMs)
  const splits = useJson<{ splits: readonly SplitPage[] }>('/splits', splitsEveryMs)
  useEffect(
    () =>
      followMesh(({ connection, mesh }) =>
        setFeed((before) => ({
          connection,
          mesh: mesh === undefined ? before.mesh : memory.remember(mesh),
        })),
      ),
    [],
  )
  const data = {
    ...feed,
    services: services?.services ?? nothing,
    splits: splits?.splits ?? nothing,
    history,
  }
  const { mesh } = feed
  if (mesh !== undefined && feed.connection.state === 'live')
    for (const service of splitServices(data.splits, data.services))
      history.add(splitFigures(service, mesh, data.splits, data.services), mesh.atMs)
  return data
}

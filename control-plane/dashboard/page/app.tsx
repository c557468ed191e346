/** The frame around every view: where one can go, whether the figures are live, and the view itself. */
import { useEffect, useRef } from 'preact/hooks'
import { type MeshData, useMesh } from './data/use-mesh.ts'
import { type Route, useRoute } from './data/use-route.ts'
import { Banner } from './parts/banner.tsx'
import { Empty } from './parts/empty.tsx'
import { TopBar } from './parts/top-bar.tsx'
import { ConnectionsView } from './views/connections-view.tsx'
import { GraphView } from './views/graph-view.tsx'
import { NodeView } from './views/node-view.tsx'
import { ServicesView } from './views/services-view.tsx'
import { SidecarsView } from './views/sidecars-view.tsx'
import { TapView } from './views/tap-view.tsx'

const titles = {
  graph: 'Service graph',
  connections: 'Connections',
  services: 'Services',
  sidecars: 'Sidecars',
  tap: 'Live tap',
  unknown: 'Not found',
} as const

function titleOf(route: Route): string {
  return route.view === 'node' ? `${route.namespace}/${route.name}` : titles[route.view]
}

function View({ route, data }: { readonly route: Route; readonly data: MeshData }) {
  switch (route.view) {
    case 'graph':
      return <GraphView data={data} />
    case 'connections':
      return <ConnectionsView data={data} />
    case 'services':
      return <ServicesView data={data} />
    case 'sidecars':
      return <SidecarsView data={data} />
    case 'tap':
      return <TapView />
    case 'node':
      return <NodeView data={data} {...route} key={`${route.kind} ${titleOf(route)}`} />
    case 'unknown':
      return (
        <Empty title="There is no such view">
          <a href="#/">Go to the service graph</a>
        </Empty>
      )
  }
}

export function App() {
  const route = useRoute()
  const data = useMesh()
  const title = titleOf(route)
  const heading = useRef<HTMLElement>(null)
  const first = useRef(true)
  useEffect(() => {
    document.title = `${title} · weft`
    // Who cannot see the view change is taken to its beginning.
    if (!first.current) heading.current?.focus({ preventScroll: true })
    if (!first.current) window.scrollTo(0, 0)
    first.current = false
  }, [title])
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), heading.current?.focus())}>
        Skip to content
      </a>
      <TopBar route={route} connection={data.connection} windowMs={data.mesh?.windowMs} />
      <Banner connection={data.connection} atMs={data.mesh?.atMs} />
      <main id="main" ref={heading} tabIndex={-1} aria-label={title} class={`view-${route.view}`}>
        <View route={route} data={data} />
      </main>
    </>
  )
}

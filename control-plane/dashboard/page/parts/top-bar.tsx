import type { Connection } from '../data/live-feed.ts'
import type { Route } from '../data/use-route.ts'

const places = [
  { view: 'graph', href: '#/', text: 'Graph' },
  { view: 'connections', href: '#/connections', text: 'Connections' },
  { view: 'services', href: '#/services', text: 'Services' },
  { view: 'sidecars', href: '#/sidecars', text: 'Sidecars' },
  { view: 'tap', href: '#/tap', text: 'Tap' },
] as const

const words = { connecting: 'Connecting', live: 'Live', lost: 'Disconnected' } as const

type Props = {
  readonly route: Route
  readonly connection: Connection
  readonly windowMs: number | undefined
}

export function TopBar({ route, connection, windowMs }: Props) {
  return (
    <header class="top-bar">
      <a class="brand" href="#/">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <rect width="32" height="32" rx="7" />
          <path d="M7 11h18M7 16h18M7 21h18M11 7v18M16 7v18M21 7v18" />
        </svg>
        weft
      </a>
      <nav aria-label="Views">
        {places.map(({ view, href, text }) => (
          <a key={view} href={href} aria-current={route.view === view ? 'page' : undefined}>
            {text}
          </a>
        ))}
      </nav>
      <p class={`connection ${connection.state}`} role="status">
        <span class="dot" aria-hidden="true" />
        {words[connection.state]}
        {connection.state === 'live' && windowMs !== undefined && (
          <span class="window">last {Math.round(windowMs / 1000)} s</span>
        )}
      </p>
    </header>
  )
}

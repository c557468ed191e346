/** Tapped exchanges, the newest first; each opens to show all that is known of it. */
import { Fragment } from 'preact'
import { useState } from 'preact/hooks'
import { formatBytes, formatMs, formatTime } from '../model/format.ts'
import { Lock } from './marks.tsx'
import type { Seen } from '../views/tap-view.tsx'

const titles = ['Time', 'From', 'To', 'Request', 'Status', 'Took', 'Sent', 'Received'] as const
const numbers = new Set<string>(['Status', 'Took', 'Sent', 'Received'])

function statusClass({ status, grpcStatus, failed }: Seen): string {
  if (failed) return 'bad'
  return status >= 400 || (grpcStatus !== null && grpcStatus !== 'OK') ? 'warning' : 'good'
}

/** A call's own status says more than that of the reply that it came in. */
function statusText({ status, grpcStatus }: Seen): string {
  return grpcStatus ?? (status === 0 ? 'no reply' : String(status))
}

function Details({ exchange }: { readonly exchange: Seen }) {
  const facts = [
    ['Seen by', exchange.direction === 'outbound' ? "the client's sidecar" : "the server's sidecar"],
    ['Pod', `${exchange.source.namespace}/${exchange.sourcePod}`],
    ['Authority', exchange.authority],
    ['Endpoint', exchange.endpoint ?? 'none'],
    ['Peer', exchange.peer ?? 'not proved'],
    ['HTTP status', String(exchange.status)],
    ['Flags', exchange.flags || 'none'],
    ['Trace', exchange.traceId ?? 'not sampled'],
  ] as const
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

type RowProps = { readonly exchange: Seen; readonly open: boolean; readonly onToggle: () => void }

function Row({ exchange, open, onToggle }: RowProps) {
  const { source, destination, method, path, durationMs, requestBytes, replyBytes, tls } = exchange
  return (
    <>
      <tr>
        <th scope="row">
          <button type="button" class="disclose" aria-expanded={open} onClick={onToggle}>
            <svg viewBox="0 0 8 8" aria-hidden="true">
              <path d="M2.5 1 5.5 4l-3 3" />
            </svg>
            {formatTime(exchange.atMs)}
          </button>
        </th>
        <td>
          <span class="namespace">{source.namespace}/</span>
          {source.name}
        </td>
        <td>
          <Lock ratio={tls ? 1 : 0} />
          <span class="hidden">{tls ? 'by mTLS' : 'in clear'}</span> {destination}
        </td>
        <td class="request">
          <span class="method">{method}</span> <span class="path-text">{path}</span>
        </td>
        <td class={`number status ${statusClass(exchange)}`}>{statusText(exchange)}</td>
        <td class="number">{formatMs(durationMs)}</td>
        <td class="number">{formatBytes(requestBytes)}</td>
        <td class="number">{formatBytes(replyBytes)}</td>
      </tr>
      {open && (
        <tr class="opened">
          <td colSpan={titles.length}>
            <Details exchange={exchange} />
          </td>
        </tr>
      )}
    </>
  )
}

export function ExchangeTable({ exchanges }: { readonly exchanges: readonly Seen[] }) {
  const [open, setOpen] = useState<number | undefined>()
  return (
    <div class="table-frame exchanges" role="region" aria-label="Exchanges" tabIndex={0}>
      <table>
        <caption class="hidden">Exchanges, the newest first</caption>
        <thead>
          <tr>
            {titles.map((title) => (
              <th key={title} scope="col" class={numbers.has(title) ? 'number' : ''}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {exchanges.map((exchange) => (
            <Fragment key={exchange.number}>
              <Row
                exchange={exchange}
                open={open === exchange.number}
                onToggle={() => setOpen((now) => (now === exchange.number ? undefined : exchange.number))}
              />
            </Fragment>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** One split of a service: the two sides, how they moved, and what each backend does with its share. */
import type { SplitPage } from '../../../status/split-journal.ts'
import { formatMs, formatPercent, formatRate, formatSpan } from '../model/format.ts'
import type { ShareHistory } from '../model/share-history.ts'
import type { SplitBackend, SplitFigures } from '../model/split-figures.ts'
import { Success } from './marks.tsx'
import { NodeLink } from './node-link.tsx'
import { ShareBars } from './share-bars.tsx'
import { ShareChart } from './share-chart.tsx'

function difference({ configured, observed }: SplitBackend): string {
  if (observed === null) return '–'
  const points = (observed - configured) * 100
  const rounded = Math.abs(points) < 0.05 ? 0 : points
  return `${rounded > 0 ? '+' : rounded < 0 ? '−' : '±'}${Math.abs(rounded).toFixed(1)}`
}

function Backends({
  backends,
  caption,
}: {
  readonly backends: readonly SplitBackend[]
  readonly caption: string
}) {
  return (
    <div class="table-frame" role="region" aria-label={caption} tabIndex={0}>
      <table>
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {['Backend', 'Configured', 'Observed', 'Difference', 'Requests/s', 'Success', 'p99'].map(
              (title, i) => (
                <th key={title} scope="col" class={i === 0 ? '' : 'number'}>
                  {title}
                </th>
              ),
            )}
            <th scope="col">Remark</th>
          </tr>
        </thead>
        <tbody>
          {backends.map((backend, i) => (
            <tr key={backend.key}>
              <th scope="row">
                <span class={`swatch series-${i % 6}`} aria-hidden="true" />
                <NodeLink id={`services/${backend.key}`} />
              </th>
              <td class="number strong">{formatPercent(backend.configured)}</td>
              <td class="number strong">{formatPercent(backend.observed)}</td>
              <td class="number">{difference(backend)}</td>
              <td class="number">{formatRate(backend.figures.requestsPerSecond)}</td>
              <td class="number">
                <Success figures={backend.figures} />
              </td>
              <td class="number">{formatMs(backend.figures.p99Ms)}</td>
              <td class="remark">{backend.remark}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** What the control plane says of the split: what does not hold, and what happened to it. */
function Journal({ page, nowMs }: { readonly page: SplitPage; readonly nowMs: number }) {
  const broken = page.conditions.filter(({ status }) => status === 'False')
  const events = page.events.toReversed().slice(0, 6)
  return (
    <>
      {broken.length > 0 && (
        <ul class="conditions">
          {broken.map(({ type, reason, message }) => (
            <li key={type}>
              <strong>
                Not {type}: {reason}
              </strong>{' '}
              {message}
            </li>
          ))}
        </ul>
      )}
      {events.length > 0 && (
        <details class="events">
          <summary>What happened ({page.events.length})</summary>
          <ul>
            {events.map(({ type, reason, message, count, lastMs }) => (
              <li key={`${reason} ${message}`} class={type.toLowerCase()}>
                <span class="when">{formatSpan(nowMs - lastMs)} ago</span> <strong>{reason}</strong> {message}
                {count > 1 && ` (${count} times)`}
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  )
}

type Props = {
  readonly split: SplitFigures
  readonly page: SplitPage | undefined
  readonly history: ShareHistory
  readonly nowMs: number
}

export function SplitCard({ split, page, history, nowMs }: Props) {
  return (
    <section class="card split">
      <h2>
        {split.object} <span class="port">port {split.port}</span>
      </h2>
      {split.remark !== '' && <p class="notice">{split.remark}</p>}
      <div class="columns">
        <ShareBars backends={split.backends} />
        <ShareChart samples={history.of(split)} backends={split.backends} nowMs={nowMs} />
      </div>
      <Backends backends={split.backends} caption={`Backends of ${split.object}, port ${split.port}`} />
      {page !== undefined && <Journal page={page} nowMs={nowMs} />}
    </section>
  )
}

/** The shares over the last minutes: what should have been as a dashed line, what was as a full one. */
import { historyMs, type ShareSample } from '../model/share-history.ts'
import type { SplitBackend } from '../model/split-figures.ts'

type Props = {
  readonly samples: readonly ShareSample[]
  readonly backends: readonly SplitBackend[]
  readonly nowMs: number
}
type Place = { readonly x: number; readonly y: number }

function places(
  { samples, nowMs }: Props,
  valueOf: (sample: ShareSample) => number | null | undefined,
): readonly Place[] {
  return samples.flatMap((sample) => {
    const value = valueOf(sample)
    const x = 100 * (1 - (nowMs - sample.atMs) / historyMs)
    return value === null || value === undefined || x < 0 ? [] : [{ x, y: 100 * (1 - value) }]
  })
}

function line(points: readonly Place[]): string {
  return points.map(({ x, y }, i) => `${i === 0 ? 'M' : 'L'}${x.toFixed(2)},${y.toFixed(2)}`).join('')
}

/** A weight stays until it is changed. */
function steps(points: readonly Place[]): string {
  return points
    .map(({ x, y }, i) => (i === 0 ? `M${x.toFixed(2)},${y.toFixed(2)}` : `H${x.toFixed(2)}V${y.toFixed(2)}`))
    .join('')
}

export function ShareChart(props: Props) {
  return (
    <figure class="share-chart">
      <div class="plot">
        {['100 %', '50 %', '0 %'].map((text) => (
          <span key={text} class="tick" aria-hidden="true">
            {text}
          </span>
        ))}
        <svg
          viewBox="0 0 100 100"
          preserveAspectRatio="none"
          role="img"
          aria-label="Shares over the last three minutes; the table above has the current ones"
        >
          <path class="grid" d="M0,0H100M0,50H100M0,100H100" />
          {props.backends.map(({ key }, i) => (
            <g key={key} class={`line series-${i % 6}`}>
              <path
                class="configured"
                d={steps(places(props, ({ shares }) => shares.get(key)?.configured))}
              />
              <path d={line(places(props, ({ shares }) => shares.get(key)?.observed))} />
            </g>
          ))}
        </svg>
      </div>
      <figcaption>
        <span>3 min ago</span>
        <span class="legend">
          <svg viewBox="0 0 24 4" aria-hidden="true">
            <path class="configured" d="M0,2H24" />
          </svg>
          configured
          <svg viewBox="0 0 24 4" aria-hidden="true">
            <path d="M0,2H24" />
          </svg>
          observed
        </span>
        <span>now</span>
      </figcaption>
    </figure>
  )
}

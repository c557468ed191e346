/** A split as two bars below each other, what should be and what is. */
import { formatPercent } from '../model/format.ts'
import type { SplitBackend } from '../model/split-figures.ts'

type Part = { readonly key: string; readonly name: string; readonly ratio: number; readonly series: number }

/** Below it, the figure has no room. */
const smallestWithText = 0.08

function Bar({ title, parts }: { readonly title: string; readonly parts: readonly Part[] }) {
  const said = parts.map(({ name, ratio }) => `${name} ${formatPercent(ratio)}`).join(', ')
  return (
    <div class="share-bar">
      <span class="title">{title}</span>
      <div class="bar" role="img" aria-label={`${title}: ${said || 'no requests'}`}>
        {parts
          .filter(({ ratio }) => ratio > 0)
          .map(({ key, name, ratio, series }) => (
            <span key={key} class={`part series-${series}`} style={{ width: `${ratio * 100}%` }} title={name}>
              {ratio >= smallestWithText && formatPercent(ratio)}
            </span>
          ))}
        {parts.length === 0 && <span class="nothing">no requests</span>}
      </div>
    </div>
  )
}

export function ShareBars({ backends }: { readonly backends: readonly SplitBackend[] }) {
  const parts = (ratioOf: (backend: SplitBackend) => number | null): readonly Part[] =>
    backends.flatMap((backend, i) => {
      const ratio = ratioOf(backend)
      return ratio === null ? [] : [{ key: backend.key, name: backend.name, ratio, series: i % 6 }]
    })
  return (
    <div class="share-bars">
      <Bar title="Configured" parts={parts(({ configured }) => configured)} />
      <Bar title="Observed" parts={parts(({ observed }) => observed)} />
    </div>
  )
}

/** Small signs that never say by colour alone what they mean. */
import { type Figures, healthOf } from '../model/figures.ts'
import { formatPercent } from '../model/format.ts'

/** A closed lock, or an open one where some of it goes in clear. */
export function Lock({ ratio }: { readonly ratio: number }) {
  const shackle = ratio === 1 ? 'M5 7V5a3 3 0 0 1 6 0v2' : 'M5 7V4.5a3 3 0 0 1 5.8-1'
  return (
    <svg class={`lock ${ratio === 1 ? 'closed' : 'open'}`} viewBox="0 0 16 16" aria-hidden="true">
      <path class="shackle" d={shackle} />
      <rect x="3" y="7" width="10" height="7" rx="1.6" />
    </svg>
  )
}

/** Share of the traffic that goes by mTLS. */
export function Mtls({ ratio }: { readonly ratio: number }) {
  return (
    <span class="mtls">
      <Lock ratio={ratio} />
      {formatPercent(ratio)}
    </span>
  )
}

const words = { good: 'good', warning: 'below 99 %', bad: 'below 95 %', quiet: 'no requests' } as const

export function Success({ figures }: { readonly figures: Figures }) {
  const health = healthOf(figures)
  return (
    <span class={`success ${health}`} title={words[health]}>
      <svg viewBox="0 0 10 10" aria-hidden="true">
        {health === 'good' && <circle cx="5" cy="5" r="4" />}
        {health === 'warning' && <path d="M5 .8 9.6 9H.4Z" />}
        {health === 'bad' && <path d="M1 1h8v8H1Z" />}
        {health === 'quiet' && <circle class="hollow" cx="5" cy="5" r="3.2" />}
      </svg>
      {formatPercent(figures.successRatio)}
    </span>
  )
}

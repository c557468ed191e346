import type { ComponentChildren } from 'preact'

export type Figure = { readonly label: string; readonly value: ComponentChildren; readonly note?: string }

/** A few figures side by side, large. */
export function FigureStrip({ figures }: { readonly figures: readonly Figure[] }) {
  return (
    <dl class="figures">
      {figures.map(({ label, value, note }) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
          {note !== undefined && <dd class="note">{note}</dd>}
        </div>
      ))}
    </dl>
  )
}

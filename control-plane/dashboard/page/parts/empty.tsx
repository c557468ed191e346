import type { ComponentChildren } from 'preact'

/** In the place of something that is not there: says why, and what to do. */
export function Empty(props: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="empty">
      <svg viewBox="0 0 48 48" aria-hidden="true">
        <path d="M10 15h28M10 24h28M10 33h28M15 10v28M24 10v28M33 10v28" />
      </svg>
      <h2>{props.title}</h2>
      <div>{props.children}</div>
    </div>
  )
}

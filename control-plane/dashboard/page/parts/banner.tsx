import type { Connection } from '../data/live-feed.ts'
import { formatTime } from '../model/format.ts'

/** Says that what is shown is old. */
export function Banner(props: { readonly connection: Connection; readonly atMs: number | undefined }) {
  if (props.connection.state !== 'lost') return null
  const shown =
    props.atMs === undefined
      ? 'There are no figures yet.'
      : `The figures are those of ${formatTime(props.atMs).slice(0, 8)}.`
  return (
    <div class="banner" role="alert">
      <strong>The control plane does not answer.</strong> {shown} Sidecars go on with what they know; this
      page keeps trying.
    </div>
  )
}

/** Live tap: exchanges as sidecars see them, by filter. Nothing is tapped before somebody asks, nor after they leave. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { TappedExchange } from '../../../../api/live.ts'
import { followTap, type TapEnd, type TapPiece } from '../data/tap-stream.ts'
import { Empty } from '../parts/empty.tsx'
import { ExchangeTable } from '../parts/exchange-table.tsx'
import { TapFilters } from '../parts/tap-filters.tsx'

const maxShown = 200
/** How often the table is drawn: a busy mesh has exchanges all the time. */
const drawEveryMs = 250

export type Seen = TappedExchange & { readonly number: number }
type Tap = {
  readonly running: boolean
  readonly seen: readonly Seen[]
  readonly count: number
  /** How many more matched and were not sent. */
  readonly dropped: number
  readonly end: TapEnd | undefined
}
const nothing: Tap = { running: false, seen: [], count: 0, dropped: 0, end: undefined }

function useTap() {
  const [tap, setTap] = useState<Tap>(nothing)
  const controller = useRef<AbortController | undefined>(undefined)
  const stop = (): void => controller.current?.abort()
  const start = (query: URLSearchParams): void => {
    stop()
    const own = new AbortController()
    controller.current = own
    setTap({ ...nothing, running: true })
    let count = 0
    let dropped = 0
    let waiting: Seen[] = []
    let timer: number | undefined
    const draw = (): void => {
      timer = undefined
      const fresh = waiting.toReversed()
      waiting = []
      if (controller.current === own)
        setTap((now) => ({ ...now, count, dropped, seen: [...fresh, ...now.seen].slice(0, maxShown) }))
    }
    const onPiece = (piece: TapPiece): void => {
      dropped += piece.dropped
      waiting = [...waiting, ...piece.exchanges.map((exchange) => ({ ...exchange, number: count++ }))].slice(
        -maxShown,
      )
      timer ??= window.setTimeout(draw, drawEveryMs)
    }
    void followTap(query, own.signal, onPiece).then((end) => {
      if (controller.current === own) setTap((now) => ({ ...now, running: false, end }))
    })
  }
  const clear = (): void => setTap((now) => ({ ...now, seen: [], count: 0, dropped: 0, end: undefined }))
  useEffect(() => stop, [])
  return { tap, start, stop, clear }
}

function Outcome({ tap }: { readonly tap: Tap }) {
  if (tap.end !== undefined && tap.end.message !== '')
    return (
      <p class="notice" role="alert">
        {tap.end.reason === 'refused' ? 'The tap was refused: ' : 'The tap ended: '}
        {tap.end.message}
      </p>
    )
  if (tap.seen.length > 0) return null
  return tap.running ? (
    <Empty title="Nothing yet">Exchanges that match appear here as they end.</Empty>
  ) : (
    <Empty title="No tap is running">
      Choose what to see and start. Bodies and the values of headers are never part of it.
    </Empty>
  )
}

export function TapView() {
  const { tap, start, stop, clear } = useTap()
  const shown = tap.count > maxShown ? `, the last ${maxShown} shown` : ''
  return (
    <>
      <div class="heading">
        <h1>Live tap</h1>
        <p role="status">
          {tap.running ? 'Running: ' : ''}
          {tap.count === 1 ? 'one exchange' : `${tap.count} exchanges`}
          {shown}
          {tap.dropped > 0 && `; ${tap.dropped} more were too many to send`}
        </p>
      </div>
      <TapFilters
        running={tap.running}
        hasRows={tap.seen.length > 0}
        onStart={start}
        onStop={stop}
        onClear={clear}
      />
      <Outcome tap={tap} />
      {tap.seen.length > 0 && <ExchangeTable exchanges={tap.seen} />}
    </>
  )
}

/** The control plane's stream of live figures: reconnects by itself, and says since when it is silent. */
import type { LiveMesh } from '../../../../api/live.ts'

export type Connection =
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  | { readonly state: 'lost'; readonly sinceMs: number }

export type FeedState = { readonly connection: Connection; readonly mesh: LiveMesh | undefined }

const retryMs = 2_000
/** Of a stream that tells something every second. */
const silenceMs = 6_000

/** Follows `/live/stream` until the returned function is called. */
export function followMesh(onChange: (state: FeedState) => void): () => void {
  let state: FeedState = { connection: { state: 'connecting' }, mesh: undefined }
  let source: EventSource | undefined
  let retry: number | undefined
  let silence: number | undefined
  let ended = false
  const change = (next: FeedState): void => {
    state = next
    if (!ended) onChange(state)
  }
  const lost = (): void => {
    source?.close()
    window.clearTimeout(silence)
    window.clearTimeout(retry)
    retry = window.setTimeout(open, retryMs)
    if (state.connection.state !== 'lost')
      change({ ...state, connection: { state: 'lost', sinceMs: Date.now() } })
  }
  const listenOn = (): void => {
    window.clearTimeout(silence)
    silence = window.setTimeout(lost, silenceMs)
  }
  const open = (): void => {
    source = new EventSource('/live/stream')
    listenOn()
    source.addEventListener('error', lost)
    source.addEventListener('message', ({ data }: MessageEvent<string>) => {
      listenOn()
      change({ connection: { state: 'live' }, mesh: JSON.parse(data) as LiveMesh })
    })
  }
  open()
  return () => {
    ended = true
    source?.close()
    window.clearTimeout(retry)
    window.clearTimeout(silence)
  }
}

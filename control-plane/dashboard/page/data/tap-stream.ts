/** Follows `/live/tap`: one exchange a line, until it is called off or the control plane ends it. */
import type { TapDrops, TappedExchange } from '../../../../api/live.ts'

export type TapEnd = { readonly reason: 'ended' | 'refused' | 'lost'; readonly message: string }

/** Exchanges, and how many more matched but were left out. */
export type TapPiece = { readonly exchanges: readonly TappedExchange[]; readonly dropped: number }

function readLines(text: string): TapPiece {
  const exchanges: TappedExchange[] = []
  let dropped = 0
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue
    const read = JSON.parse(line) as TappedExchange | TapDrops
    if ('dropped' in read) dropped += read.dropped
    else exchanges.push(read)
  }
  return { exchanges, dropped }
}

/** Resolves when nothing more comes; an abort is an end like others. */
export async function followTap(
  query: URLSearchParams,
  signal: AbortSignal,
  onPiece: (piece: TapPiece) => void,
): Promise<TapEnd> {
  try {
    const response = await fetch(`/live/tap?${query}`, { signal })
    if (!response.ok || response.body === null) {
      const message = (await response.text()).trim().slice(0, 300)
      return { reason: 'refused', message: message || `the control plane answered ${response.status}` }
    }
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    let rest = ''
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      const end = (rest + piece.value).lastIndexOf('\n') + 1
      const whole = (rest + piece.value).slice(0, end)
      rest = (rest + piece.value).slice(end)
      if (whole !== '') onPiece(readLines(whole))
    }
    return { reason: 'ended', message: 'the control plane ended the tap' }
  } catch (error) {
    if (signal.aborted) return { reason: 'ended', message: '' }
    return { reason: 'lost', message: error instanceof Error ? error.message : String(error) }
  }
}

/** Follows `/live/tap`: one exchange a line, until it is called off or the control plane ends it. */
import type { TappedExchange } from '../../../../api/live.ts'

export type TapEnd = { readonly reason: 'ended' | 'refused' | 'lost'; readonly message: string }

function linesOf(text: string): readonly TappedExchange[] {
  return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [JSON.parse(line) as TappedExchange]))
}

/** Resolves when nothing more comes; an abort is an end like others. */
export async function followTap(
  query: URLSearchParams,
  signal: AbortSignal,
  onExchanges: (exchanges: readonly TappedExchange[]) => void,
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
      const exchanges = linesOf(whole)
      if (exchanges.length > 0) onExchanges(exchanges)
    }
    return { reason: 'ended', message: 'the control plane ended the tap' }
  } catch (error) {
    if (signal.aborted) return { reason: 'ended', message: '' }
    return { reason: 'lost', message: error instanceof Error ? error.message : String(error) }
  }
}

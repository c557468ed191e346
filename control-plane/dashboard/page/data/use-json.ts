/** A page of the control plane, asked for again and again. What was known last stays while it does not answer. */
import { useEffect, useState } from 'preact/hooks'

const timeoutMs = 5_000

/** Undefined until it answered once. The same object as long as it says the same. */
export function useJson<T>(path: string, everyMs: number): T | undefined {
  const [value, setValue] = useState<T | undefined>()
  useEffect(() => {
    let ended = false
    let timer: number | undefined
    let last = ''
    const ask = async (): Promise<void> => {
      try {
        const response = await fetch(path, { signal: AbortSignal.timeout(timeoutMs) })
        const text = await response.text()
        if (response.ok && text !== last && !ended) {
          last = text
          setValue(JSON.parse(text) as T)
        }
      } catch {
        // The feed tells that the control plane is away; this is tried again.
      }
      if (!ended) timer = window.setTimeout(() => void ask(), everyMs)
    }
    void ask()
    return () => {
      ended = true
      window.clearTimeout(timer)
    }
  }, [path, everyMs])
  return value
}

/** Moves and scales the graph without drawing it anew. */
import type { RefObject } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { PanZoomView } from './pan-zoom.ts'
import { listenToMoves } from './pan-zoom-input.ts'

export type PanZoom = {
  readonly frame: RefObject<HTMLDivElement | null>
  readonly world: RefObject<HTMLDivElement | null>
  readonly zoomBy: (factor: number) => void
  readonly fit: () => void
  /** Brings a point of the world into sight. */
  readonly show: (x: number, y: number) => void
}

/** `size` is the world's, in its own units: it is fitted into its frame until somebody moves it. */
export function usePanZoom(size: { readonly width: number; readonly height: number }): PanZoom {
  const frame = useRef<HTMLDivElement>(null)
  const world = useRef<HTMLDivElement>(null)
  const view = useRef<PanZoomView | undefined>(undefined)
  useLayoutEffect(() => {
    if (frame.current === null || world.current === null) return
    view.current ??= new PanZoomView(frame.current, world.current)
    view.current.size = { width: size.width, height: size.height }
    if (!view.current.isMoved) view.current.fit()
  }, [size.width, size.height])
  useEffect(() => {
    if (frame.current === null || view.current === undefined) return undefined
    const own = view.current
    const observer = new ResizeObserver(() => {
      if (!own.isMoved) own.fit()
    })
    observer.observe(frame.current)
    const stop = listenToMoves(own, frame.current)
    return () => {
      observer.disconnect()
      stop()
    }
  }, [])
  return {
    frame,
    world,
    zoomBy: (factor) => view.current?.zoomBy(factor),
    fit: () => view.current?.fit(),
    show: (x, y) => view.current?.show(x, y),
  }
}

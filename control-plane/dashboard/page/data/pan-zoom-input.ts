/** What moves a graph: mouse, touch, wheel and keys. */
import type { PanZoomView } from './pan-zoom.ts'

const clickSlackPx = 4
const zoomPerWheelPx = 0.0015

function onWheel(view: PanZoomView, frame: HTMLElement, event: WheelEvent): void {
  event.preventDefault()
  const box = frame.getBoundingClientRect()
  view.zoomAt(Math.exp(-event.deltaY * zoomPerWheelPx), event.clientX - box.left, event.clientY - box.top)
}

function onKey(view: PanZoomView, event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  if (event.key === '+' || event.key === '=') view.zoomBy(1.25)
  else if (event.key === '-') view.zoomBy(0.8)
  else if (event.key === '0') view.fit()
}

function listenToDrags(view: PanZoomView, frame: HTMLElement, signal: AbortSignal): void {
  let drag: { x: number; y: number; moved: boolean } | undefined
  let endedAtMs = -Infinity
  frame.addEventListener(
    'pointerdown',
    (event) => {
      if (event.button === 0) drag = { x: event.clientX, y: event.clientY, moved: false }
    },
    { signal },
  )
  frame.addEventListener(
    'pointermove',
    (event) => {
      if (drag === undefined) return
      const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y]
      if (!drag.moved && Math.hypot(dx, dy) < clickSlackPx) return
      if (!drag.moved) frame.setPointerCapture(event.pointerId)
      drag = { x: event.clientX, y: event.clientY, moved: true }
      view.panBy(dx, dy)
    },
    { signal },
  )
  const onEnd = (event: Event): void => {
    if (drag?.moved === true) endedAtMs = event.timeStamp
    drag = undefined
  }
  frame.addEventListener('pointerup', onEnd, { signal })
  frame.addEventListener('pointercancel', onEnd, { signal })
  // What a drag ends on was not meant to be opened: its click comes with its end.
  const onClick = (event: Event): void => {
    if (event.timeStamp - endedAtMs < 50) event.preventDefault()
  }
  frame.addEventListener('click', onClick, { capture: true, signal })
}

/** Until the returned function is called. */
export function listenToMoves(view: PanZoomView, frame: HTMLElement): () => void {
  const ended = new AbortController()
  const { signal } = ended
  frame.addEventListener('wheel', (event) => onWheel(view, frame, event), { passive: false, signal })
  frame.addEventListener('keydown', (event) => onKey(view, event), { signal })
  listenToDrags(view, frame, signal)
  return () => ended.abort()
}

/** Where a world is seen from in its frame, and how moves change that. */

type Size = { readonly width: number; readonly height: number }

const smallest = 0.12
const largest = 2
/** Below it text cannot be read: nodes show their names alone, larger. */
const farBelow = 0.55
/** What a fit makes no smaller, so that a phone shows a part that can be read. */
const smallestFit = 0.3
/** The legend and the buttons below. */
const controlsPx = 44
/** How near to the border what is shown may be, in units of the world. */
const nearBorder = 120

export class PanZoomView {
  #x = 0
  #y = 0
  #scale = 1
  /** By a person: then nothing else moves it any more. */
  #moved = false
  readonly #frame: HTMLElement
  readonly #world: HTMLElement
  size: Size = { width: 0, height: 0 }

  constructor(frame: HTMLElement, world: HTMLElement) {
    this.#frame = frame
    this.#world = world
  }

  get isMoved(): boolean {
    return this.#moved
  }

  /** All of the world, as large as it can be but no larger than it is. */
  fit(): void {
    const { clientWidth } = this.#frame
    const clientHeight = this.#frame.clientHeight - controlsPx
    const { width, height } = this.size
    if (width === 0 || clientWidth === 0) return
    this.#scale = Math.min(1, Math.max(smallestFit, Math.min(clientWidth / width, clientHeight / height)))
    this.#x = Math.max(0, (clientWidth - width * this.#scale) / 2)
    this.#y = Math.max(0, (clientHeight - height * this.#scale) / 2)
    this.#moved = false
    this.#apply()
  }

  /** Keeps the point of the frame that is under the pointer where it is. */
  zoomAt(factor: number, x: number, y: number): void {
    const scale = Math.min(largest, Math.max(smallest, this.#scale * factor))
    const ratio = scale / this.#scale
    this.#x = x - (x - this.#x) * ratio
    this.#y = y - (y - this.#y) * ratio
    this.#scale = scale
    this.#moved = true
    this.#apply()
  }

  zoomBy(factor: number): void {
    this.zoomAt(factor, this.#frame.clientWidth / 2, this.#frame.clientHeight / 2)
  }

  panBy(dx: number, dy: number): void {
    this.#x += dx
    this.#y += dy
    this.#moved = true
    this.#apply()
  }

  /** Brings a point of the world into sight; nothing moves when it is. */
  show(x: number, y: number): void {
    const border = nearBorder * this.#scale
    const inside = (at: number, length: number): number =>
      at < border ? border - at : Math.min(0, length - border - at)
    const dx = inside(this.#x + x * this.#scale, this.#frame.clientWidth)
    const dy = inside(this.#y + y * this.#scale, this.#frame.clientHeight)
    if (dx !== 0 || dy !== 0) this.panBy(dx, dy)
  }

  #apply(): void {
    const { style, classList } = this.#world
    style.transform = `translate(${this.#x}px, ${this.#y}px) scale(${this.#scale})`
    style.setProperty('--unscaled', String(1 / this.#scale))
    classList.toggle('far', this.#scale < farBelow)
  }
}

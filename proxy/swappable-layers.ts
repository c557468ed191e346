/** Layers that change while the connections that they serve stay. */
import type { Exchange, Handler, Receiver } from './exchange.ts'
import { compose, type Layer } from './layer.ts'

export class SwappableLayers {
  #layers: readonly Layer[] = []
  #next: Handler | undefined
  #handler: Handler | undefined

  /** Without any in it a request passes by one call. */
  readonly layer: Layer = (next) => {
    this.#next = next
    this.#compose()
    return (x: Exchange, receiver: Receiver) => (this.#handler as Handler)(x, receiver)
  }

  set(layers: readonly Layer[]): void {
    this.#layers = layers
    this.#compose()
  }

  #compose(): void {
    if (this.#next !== undefined) this.#handler = compose(...this.#layers)(this.#next)
  }
}

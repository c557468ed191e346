/** Where this sidecar is: as it was set, or else as the control plane says. */
export class OwnZone {
  readonly #set: string
  #told = ''

  /** Empty: nothing was set. */
  constructor(set: string) {
    this.#set = set
  }

  /** Empty: nobody has said. */
  readonly current = (): string => (this.#set === '' ? this.#told : this.#set)

  /** Whether it is another one now. */
  tell(zone: string | undefined): boolean {
    const before = this.current()
    this.#told = zone ?? ''
    return this.current() !== before
  }
}

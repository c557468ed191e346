/**
 * Names that the mesh has said nothing of, or that it does not know, the longest unused first. They come from requests, so
 * there are only so many: what is more is forgotten, and asked for again when it is used again.
 */

/** More than an application usually talks to outside of its mesh. */
export const maxUnproven = 2_000

export class UnprovenNames {
  readonly #names = new Set<string>()

  used(name: string): void {
    this.#names.delete(name)
    this.#names.add(name)
  }

  delete(name: string): void {
    this.#names.delete(name)
  }

  /** One that there is no room for; undefined: there is for all. */
  surplus(): string | undefined {
    return this.#names.size > maxUnproven ? this.#names.values().next().value : undefined
  }
}

/** The objects of one kind as the API server last had them, in the model's form; tells what each message changes. Pure. */
import { isDeepStrictEqual } from 'node:util'
import { convertObject } from '../../kubernetes-objects/convert.ts'
import { type ObjectReference, referenceOf } from '../../kubernetes-objects/object-reference.ts'
import { formatProblem } from '../../kubernetes-objects/field-reader.ts'
import type { Change } from '../../model/objects.ts'
import { withSeenSidecar } from './seen-sidecar.ts'

/** The newest form of an object is not usable; its last good one, if there was any, stays. */
export type Refusal = {
  /** For people. */
  readonly object: string
  readonly reference: ObjectReference
  readonly problems: readonly string[]
}

/** `namespace/name`, or the name alone where there is no namespace; undefined for what is no object. */
export function keyOfObject(object: unknown): string | undefined {
  const { name, namespace } = referenceOf(object)
  if (name === '') return undefined
  return namespace === '' ? name : `${namespace}/${name}`
}

export class ObjectStore {
  readonly #onRefused: (refusal: Refusal) => void
  /** Every object that is there; undefined: the mesh has no use for it, or it never was usable. */
  readonly #known = new Map<string, Change | undefined>()
  readonly #refused = new Map<string, Refusal>()

  constructor(onRefused: (refusal: Refusal) => void) {
    this.#onRefused = onRefused
  }

  /** Objects whose newest form is refused. */
  get refused(): readonly Refusal[] {
    return [...this.#refused.values()]
  }

  get size(): number {
    return this.#known.size
  }

  /** An object was made or changed. */
  put(object: unknown): readonly Change[] {
    const key = keyOfObject(object)
    if (key === undefined) return []
    const converted = convertObject(object)
    if (converted.outcome === 'refused') {
      this.#refuse(key, {
        object: converted.identity,
        reference: referenceOf(object),
        problems: converted.problems.map(formatProblem),
      })
      if (!this.#known.has(key)) this.#known.set(key, undefined)
      return []
    }
    const wasRefused = this.#refused.delete(key)
    const before = this.#known.get(key)
    const change = converted.outcome === 'converted' ? withSeenSidecar(converted.change, object) : undefined
    // Good again as it was: nothing changes in the mesh, but its status says otherwise.
    if (isDeepStrictEqual(before, change) && !wasRefused) {
      this.#known.set(key, before)
      return []
    }
    this.#known.set(key, change)
    if (change !== undefined) return [change]
    return before === undefined ? [] : [{ ...before, value: undefined }]
  }

  /** An object is gone. */
  remove(key: string): readonly Change[] {
    const before = this.#known.get(key)
    this.#known.delete(key)
    this.#refused.delete(key)
    return before === undefined ? [] : [{ ...before, value: undefined }]
  }

  /** Takes away what a list that is complete does not have: it went while nobody was watching. */
  keepOnly(keys: ReadonlySet<string>): readonly Change[] {
    return [...this.#known.keys()].filter((key) => !keys.has(key)).flatMap((key) => this.remove(key))
  }

  #refuse(key: string, refusal: Refusal): void {
    const before = this.#refused.get(key)
    this.#refused.set(key, refusal)
    if (!isDeepStrictEqual(before, refusal)) this.#onRefused(refusal)
  }
}

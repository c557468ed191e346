/** How many Events are written: of one object, and of all of them. What flaps tells of itself now and then, not each time. */

type Allowance = { readonly burst: number; readonly refillMs: number }
type Bucket = { readonly tokens: number; readonly atMs: number }

const ofOne: Allowance = { burst: 10, refillMs: 60_000 }
/** An API server's events are for people: nobody reads more. */
const ofAll: Allowance = { burst: 200, refillMs: 200 }
const maxObjects = 1_000

function refilled(bucket: Bucket | undefined, { burst, refillMs }: Allowance, nowMs: number): Bucket {
  if (bucket === undefined) return { tokens: burst, atMs: nowMs }
  return { tokens: Math.min(burst, bucket.tokens + (nowMs - bucket.atMs) / refillMs), atMs: nowMs }
}

export class EventBudget {
  readonly #nowMs: () => number
  readonly #objects = new Map<string, Bucket>()
  #all: Bucket | undefined

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** Whether one more may be written about the object of this uid; if so it is counted. */
  take(uid: string): boolean {
    const nowMs = this.#nowMs()
    const all = refilled(this.#all, ofAll, nowMs)
    const one = refilled(this.#objects.get(uid), ofOne, nowMs)
    if (all.tokens < 1 || one.tokens < 1) return false
    this.#all = { ...all, tokens: all.tokens - 1 }
    // The one that was told of longest ago is first, and goes when there are too many.
    this.#objects.delete(uid)
    this.#objects.set(uid, { ...one, tokens: one.tokens - 1 })
    const [first] = this.#objects.keys()
    if (this.#objects.size > maxObjects && first !== undefined) this.#objects.delete(first)
    return true
  }
}

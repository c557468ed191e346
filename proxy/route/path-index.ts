/**
 * Rules by path: exact ones in a map, prefixes in a tree of path elements, the rest in their order. Which of the rules
 * that match stands first in the list decides, as if all were tried one after the other.
 */
import type { Exchange } from '../exchange.ts'
import { compileMatch } from './match.ts'
import type { RequestFacts } from './request-facts.ts'
import type { PathMatch, RouteMatch } from './route-rule.ts'

/** Adds a route's rule. Throws SyntaxError on a regex that cannot be used. */
export function addRule<T>(index: PathIndex<T>, match: RouteMatch, target: T): void {
  index.add(match.path, compileMatch(match), target)
}

type Predicate<F> = (x: Exchange, facts: F) => boolean
type Entry<T, F> = {
  /** Its place in the list. */
  readonly order: number
  readonly predicate: Predicate<F> | undefined
  readonly target: T
  /** The next one of the same path. Chained, and not in an array: with many rules each step is a cache miss. */
  next: Entry<T, F> | undefined
}
type Node<T, F> = { readonly children: Map<string, Node<T, F>>; first: Entry<T, F> | undefined }

const slash = 0x2f

function makeNode<T, F>(): Node<T, F> {
  return { children: new Map(), first: undefined }
}

/** The chain that begins with `first`, one longer. */
function appended<T, F>(first: Entry<T, F> | undefined, entry: Entry<T, F>): Entry<T, F> {
  if (first === undefined) return entry
  let last = first
  while (last.next !== undefined) last = last.next
  last.next = entry
  return first
}

/** `F`: what rules ask of a request beside its fields. */
export class PathIndex<T, F extends { readonly path: string } = RequestFacts> {
  readonly #exact = new Map<string, Entry<T, F>>()
  readonly #root: Node<T, F> = makeNode()
  #rest: Entry<T, F> | undefined
  /** The nodes on the way down to the longest prefix; kept, so that a look-up makes no garbage. */
  readonly #trail: Node<T, F>[] = []
  #size = 0

  /** Adds the next rule of the list: it counts where `path` matches, as far as that is looked up, and `predicate` says so. */
  add(path: PathMatch, predicate: Predicate<F> | undefined, target: T): void {
    const entry = { order: this.#size++, predicate, target, next: undefined }
    if (path.kind === 'exact') {
      this.#exact.set(path.value, appended(this.#exact.get(path.value), entry))
    } else if (isInTree(path)) {
      const node = this.#nodeFor(path.value)
      node.first = appended(node.first, entry)
    } else {
      this.#rest = appended(this.#rest, entry)
    }
  }

  /** What every request gets, when that is settled without looking at it. */
  get only(): T | undefined {
    const first = this.#rest
    return first?.order === 0 && first.predicate === undefined ? first.target : undefined
  }

  /** What was added for the first rule that matches, or undefined. */
  find(x: Exchange, facts: F): T | undefined {
    let best: Entry<T, F> | undefined
    if (this.#exact.size > 0) best = firstOf(this.#exact.get(facts.path), best, x, facts)
    // The longest prefix first: with rules in the order of the Gateway API nothing else has to be tried then.
    for (let depth = this.#descend(facts.path) - 1; depth >= 0; depth--)
      best = firstOf((this.#trail[depth] as Node<T, F>).first, best, x, facts)
    return firstOf(this.#rest, best, x, facts)?.target
  }

  /** A slash at the end means nothing: /foo/ is /foo. */
  #nodeFor(prefix: string): Node<T, F> {
    let node = this.#root
    for (const element of prefix.replace(/\/$/, '').split('/').slice(1)) {
      const child = node.children.get(element) ?? makeNode<T, F>()
      node.children.set(element, child)
      node = child
    }
    return node
  }

  /** Fills the trail, and tells its length. */
  #descend(path: string): number {
    let node = this.#root
    if (node.children.size === 0 || path.charCodeAt(0) !== slash) return 0
    let depth = 0
    for (let start = 1; ; ) {
      const end = path.indexOf('/', start)
      const child = node.children.get(end === -1 ? path.slice(start) : path.slice(start, end))
      if (child === undefined) return depth
      this.#trail[depth++] = node = child
      if (end === -1) return depth
      start = end + 1
    }
  }
}

/** Everything is below `/`, which has no element. */
function isInTree({ kind, value }: PathMatch): boolean {
  return kind === 'pathPrefix' && value !== '/' && value !== ''
}

/** The first of the chain that matches, if it stands before `best`. */
function firstOf<T, F>(
  chain: Entry<T, F> | undefined,
  best: Entry<T, F> | undefined,
  x: Exchange,
  facts: F,
): Entry<T, F> | undefined {
  const limit = best === undefined ? Number.POSITIVE_INFINITY : best.order
  for (let entry = chain; entry !== undefined && entry.order < limit; entry = entry.next)
    if (entry.predicate === undefined || entry.predicate(x, facts)) return entry
  return best
}

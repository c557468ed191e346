/**
 * Rules by path: exact ones in a map, prefixes in a tree of path elements, the rest in their order. Which of the rules
 * that match stands first in the list decides, as if all were tried one after the other.
 */
import type { Exchange } from '../exchange.ts'
import { compileMatch, type Predicate } from './match.ts'
import type { RequestFacts } from './request-facts.ts'
import type { PathMatch, RouteMatch } from './route-rule.ts'

type Entry<T> = {
  /** Its place in the list. */
  readonly order: number
  readonly predicate: Predicate | undefined
  readonly target: T
  /** The next one of the same path. Chained, and not in an array: with many rules each step is a cache miss. */
  next: Entry<T> | undefined
}
type Node<T> = { readonly children: Map<string, Node<T>>; first: Entry<T> | undefined }

const slash = 0x2f

function makeNode<T>(): Node<T> {
  return { children: new Map(), first: undefined }
}

/** The chain that begins with `first`, one longer. */
function appended<T>(first: Entry<T> | undefined, entry: Entry<T>): Entry<T> {
  if (first === undefined) return entry
  let last = first
  while (last.next !== undefined) last = last.next
  last.next = entry
  return first
}

export class PathIndex<T> {
  readonly #exact = new Map<string, Entry<T>>()
  readonly #root: Node<T> = makeNode()
  #rest: Entry<T> | undefined
  /** The nodes on the way down to the longest prefix; kept, so that a look-up makes no garbage. */
  readonly #trail: Node<T>[] = []
  #size = 0

  /** Adds the next rule of the list. Throws SyntaxError on a regex that cannot be used. */
  add(match: RouteMatch, target: T): void {
    const { path } = match
    const entry = { order: this.#size++, predicate: compileMatch(match), target, next: undefined }
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
  find(x: Exchange, facts: RequestFacts): T | undefined {
    let best: Entry<T> | undefined
    if (this.#exact.size > 0) best = firstOf(this.#exact.get(facts.path), best, x, facts)
    // The longest prefix first: with rules in the order of the Gateway API nothing else has to be tried then.
    for (let depth = this.#descend(facts.path) - 1; depth >= 0; depth--)
      best = firstOf((this.#trail[depth] as Node<T>).first, best, x, facts)
    return firstOf(this.#rest, best, x, facts)?.target
  }

  /** A slash at the end means nothing: /foo/ is /foo. */
  #nodeFor(prefix: string): Node<T> {
    let node = this.#root
    for (const element of prefix.replace(/\/$/, '').split('/').slice(1)) {
      const child = node.children.get(element) ?? makeNode<T>()
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
function firstOf<T>(
  chain: Entry<T> | undefined,
  best: Entry<T> | undefined,
  x: Exchange,
  facts: RequestFacts,
): Entry<T> | undefined {
  const limit = best === undefined ? Number.POSITIVE_INFINITY : best.order
  for (let entry = chain; entry !== undefined && entry.order < limit; entry = entry.next)
    if (entry.predicate === undefined || entry.predicate(x, facts)) return entry
  return best
}

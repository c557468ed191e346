/** Rewrites of a request's path, prepared so that a request only runs them. The query stays as it is. */
import type { PathRewrite } from './route-rule.ts'

/** What replaces whole elements is never followed by two slashes, and never by none. */
function replaceElements(path: string, matched: string, value: string): string {
  const prefix = matched.endsWith('/') ? matched.slice(0, -1) : matched
  const rest = path.slice(prefix.length)
  const base = value.endsWith('/') ? value.slice(0, -1) : value
  const rewritten = base + rest
  return rewritten === '' ? '/' : rewritten
}

function rewritePath(rewrite: PathRewrite): (path: string) => string {
  switch (rewrite.kind) {
    case 'full':
      return () => rewrite.value
    case 'elements':
      return (path) => replaceElements(path, rewrite.matched, rewrite.value)
    case 'bytes':
      return (path) => rewrite.value + path.slice(rewrite.matched.length)
  }
}

/** A function from a request's target to the rewritten one. */
export function pathRewriter(rewrite: PathRewrite): (target: string) => string {
  const change = rewritePath(rewrite)
  return (target) => {
    const query = target.indexOf('?')
    return query === -1 ? change(target) : change(target.slice(0, query)) + target.slice(query)
  }
}

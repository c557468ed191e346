/**
 * The path of a request as whoever serves it reads it: percent-encoding undone, dot segments and doubled slashes gone.
 * What is decided by a path is decided by this form, and the request is sent on in the form that reads the same
 * everywhere (RFC 3986 6.2.2; http1.md row 34). Pure.
 */

export type ReadablePath = {
  /** What is sent on. */
  readonly sent: string
  /** What it says, decoded. */
  readonly read: string
}

/** Without any of these a path reads as it is written. */
const doubtful = /[%\\]|\/[./;]/
/** Whatever these stand for, servers do not agree on it: a slash, a backslash, an end, a line, what is encoded twice. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const ambiguous = /%(?:2f|5c|[01][0-9a-f]|7f|25[0-9a-f]{2})|\\|%(?![0-9a-f]{2})/i
const unreserved = /%(?:2[de]|3[0-9]|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9ae])/gi

function decodeUnreserved(path: string): string {
  return path.replace(unreserved, (encoded) => String.fromCharCode(Number.parseInt(encoded.slice(1), 16)))
}

function resolveSegments(path: string, mergeSlashes: boolean): string {
  const kept: string[] = []
  const segments = path.split('/').slice(1)
  for (const [i, segment] of segments.entries()) {
    const isLast = i === segments.length - 1
    if (segment === '..') kept.pop()
    if (segment === '..' || segment === '.') {
      // What they lead to is a folder.
      if (isLast) kept.push('')
    } else if (segment !== '' || isLast || !mergeSlashes) kept.push(segment)
  }
  return `/${kept.join('/')}`
}

/**
 * A dot segment with parameters, or with spaces that some file systems drop, and an element that is nothing but
 * parameters, which leaves two slashes to those who drop these: servers do not agree on what follows.
 */
const dressed = /\/(?:\.{1,2}[;\s]|;[^/]*\/)/
// oxlint-disable-next-line no-control-regex -- what is not ASCII
const beyondAscii = /[^\x00-\x7f]/

/** Characters that a server which normalises Unicode takes for a slash, a backslash or the dots of a segment. */
function hidesSeparators(read: string): boolean {
  if (!beyondAscii.test(read)) return false
  const plain = read.normalize('NFKC')
  return plain.split('/').length !== read.split('/').length || /\\|%|\/\.{1,2}(?:[/;\s]|$)/.test(plain)
}

/** Undefined: the path can be read in more than one way. `path` is without its query. */
export function readablePath(path: string): ReadablePath | undefined {
  if (!doubtful.test(path)) return { sent: path, read: path }
  const plain = decodeUnreserved(path)
  // What decoding has put together is encoded twice.
  if (ambiguous.test(path) || ambiguous.test(plain) || dressed.test(plain)) return undefined
  const sent = resolveSegments(plain, true)
  try {
    const read = decodeURIComponent(sent)
    return dressed.test(read) || hidesSeparators(read) ? undefined : { sent, read }
  } catch {
    // No UTF-8: overlong forms of a slash among it.
    return undefined
  }
}

const dotSegment = /\/(?:\.|%2e){1,2}(?=[/?]|$)/i

/** `target` without dot segments, the query as it is: where it leads to is where a server would look. */
export function withoutDotSegments(target: string): string {
  if (!dotSegment.test(target)) return target
  const query = target.indexOf('?')
  const path = query === -1 ? target : target.slice(0, query)
  if (!dotSegment.test(path)) return target
  const plain = path.replace(/\/(?:\.|%2e){1,2}(?=\/|$)/gi, (dots) => dots.replace(/%2e/gi, '.'))
  if (dressed.test(plain)) return target
  const resolved = resolveSegments(plain, false)
  return query === -1 ? resolved : resolved + target.slice(query)
}

/**
 * A path as one that denies looks at it: letters in one case and one form of Unicode, without parameters (`;x`), what
 * follows an encoded `?` or `#`, dots and spaces at the end of an element, and a slash at the end, so that nothing is let
 * through that some server takes for the same.
 */
export function broadForm(read: string): string {
  const lower = (beyondAscii.test(read) ? read.normalize('NFKC') : read).toLowerCase()
  const bare = /[;?#]|[.\s](?:\/|$)/.test(lower) ? withoutExtras(lower) : lower
  return bare.length > 1 && bare.endsWith('/') ? bare.slice(0, -1) : bare
}

function withoutExtras(path: string): string {
  const plain = path
    .replace(/[?#].*$/s, '')
    .replace(/;[^/]*/g, '')
    .replace(/[.\s]+(?=\/|$)/g, '')
    .replace(/\/{2,}/g, '/')
  return plain === '' ? '/' : plain
}

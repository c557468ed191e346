/** What applications make of a path before they look it up. */
import path from 'node:path'

function attempt(read: (url: string) => string): (url: string) => string {
  return (url) => {
    try {
      return read(url)
    } catch {
      return url
    }
  }
}

/** Each application does some of it, in some order. */
const readings: readonly ((url: string) => string)[] = [
  (url) => url.replace(/[?#].*$/, ''),
  attempt((url) => new URL(url, 'http://app.test').pathname),
  (url) => path.posix.normalize(url),
  (url) => url.replace(/\/{2,}/g, '/'),
  (url) => url.replace(/;[^/]*/g, ''),
  (url) => url.replaceAll('\\', '/'),
  (url) => url.toLowerCase(),
  (url) => url.replace(/\0.*$/s, ''),
  // As Windows has the names of files.
  (url) => url.replace(/[\s.]+$/, ''),
  (url) => url.replace(/(?<=[^/.])[\s.]+(?=\/)/g, ''),
  (url) => url.replace(/(?<=\/\.\.)\s+(?=\/)/g, ''),
  (url) => url.normalize('NFKC'),
]
const decode = attempt(decodeURIComponent)
/** As old decoders have it, to which an overlong slash is one. */
const decodeLoosely = (url: string): string =>
  url.replace(/%(?:c0%af|e0%80%af)/gi, '/').replace(/%c0%ae/gi, '.')

function everyReading(url: string): ReadonlySet<string> {
  const seen = new Set([url, decodeLoosely(url)])
  const grow = (): void => {
    for (let before = -1; before !== seen.size; ) {
      before = seen.size
      for (const text of seen) for (const read of readings) seen.add(read(text))
    }
  }
  grow()
  // Some do it again.
  for (let times = 0; times < 2; times++) {
    for (const text of seen) seen.add(decode(text))
    grow()
  }
  return seen
}

/** Whether some application serves `url` as `/private`. */
export function isPrivate(url: string): boolean {
  return [...everyReading(url)].some((text) => text === '/private' || text.startsWith('/private/'))
}

/** Addresses of HTTP services, as people write them. */

/** The URL, or undefined when the text is none that HTTP can reach. */
export function parseHttpUrl(text: string): URL | undefined {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) ? url : undefined
}

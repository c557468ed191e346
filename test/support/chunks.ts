/** Chunked replies as tests compare them: how a body is cut into chunks is up to how it arrived. */

/** Joins the chunks of a reply's body into one; whatever is no whole chunk stays as it is. */
export function joinChunks(text: string): string {
  const start = text.indexOf('\r\n\r\n') + 4
  if (!/^transfer-encoding: chunked\r$/im.test(text.slice(0, start))) return text
  let content = ''
  let at = start
  for (;;) {
    const size = /^([1-9a-f][0-9a-f]*)\r\n/.exec(text.slice(at, at + 12))
    if (size === null) break
    const from = at + size[0].length
    const end = from + Number.parseInt(size[1] as string, 16)
    if (text.slice(end, end + 2) !== '\r\n') break
    content += text.slice(from, end)
    at = end + 2
  }
  const joined = content === '' ? '' : `${content.length.toString(16)}\r\n${content}\r\n`
  return text.slice(0, start) + joined + text.slice(at)
}

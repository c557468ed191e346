/** Character classes of RFC 9110 section 5 as lookup tables over bytes (latin1 char codes). */

function table(accepts: (code: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (accepts(code) ? 1 : 0))
}

const tokenPunctuation = new Set("!#$%&'*+-.^_`|~")

/** RFC 9110 5.6.2: what a method and a field name are made of. */
export const tokenTable = table((code) => {
  const char = String.fromCharCode(code)
  return /[0-9A-Za-z]/.test(char) || tokenPunctuation.has(char)
})

/** RFC 9110 5.5: field-vchar, space and tab. NUL, CR, LF, other controls and DEL are out. */
export const valueTable = table((code) => code === 0x09 || (code >= 0x20 && code !== 0x7f))

/** What may stand in a request target: visible ASCII without `#` (RFC 9112 3.2; a fragment is never sent). */
export const targetTable = table((code) => code > 0x20 && code < 0x7f && code !== 0x23)

/** JSON by hand, for what is written so often that collecting it in an object first would be most of its cost. */

// oxlint-disable-next-line no-control-regex -- these are what JSON does not allow.
const special = /["\\\u0000-\u001f\u007f-\uffff]/

/** `text` in quotes; most has nothing to escape. */
export function quoted(text: string): string {
  return special.test(text) ? JSON.stringify(text) : `"${text}"`
}

/** `.001` to `.999`; empty for none. */
const fractions = Array.from({ length: 1_000 }, (_, us) => String(us / 1_000).slice(1))

/** Milliseconds to microseconds, as a number. From integers: making text of fractions is what costs most of a line. */
export function millisecondsText(ms: number): string {
  const us = Math.round(ms * 1_000)
  if (us < 0) return String(us / 1_000)
  const whole = Math.floor(us / 1_000)
  return `${whole}${fractions[us - whole * 1_000]}`
}

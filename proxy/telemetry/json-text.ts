/** JSON by hand, for what is written so often that collecting it in an object first would be most of its cost. */

// oxlint-disable-next-line no-control-regex -- these are what JSON does not allow.
const special = /["\\\u0000-\u001f\u007f-\uffff]/

/** `text` in quotes; most has nothing to escape. */
export function quoted(text: string): string {
  return special.test(text) ? JSON.stringify(text) : `"${text}"`
}

/** A number that may be left out, which is not the same as zero: zero is what its wrapper holds by leaving it out. */
export function unwrap(wrapper: { readonly value?: number | undefined } | undefined, usual: number): number {
  return wrapper === undefined ? usual : (wrapper.value ?? 0)
}

/** SMI's `pathRegex` is anchored at the beginning of the path only; here a regex has to match the whole of it. */
export function wholePathRegex(pathRegex: string): string {
  return `(?:${pathRegex}).*`
}

/** Collects everything that is wrong with a resource, each with its path, before anything is refused. */
export class Problems {
  readonly list: string[] = []

  add(path: string, problem: string): void {
    this.list.push(`${path}: ${problem}`)
  }

  get any(): boolean {
    return this.list.length > 0
  }
}

export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly string[] }

/** Runs `read`; what it adds to the problems decides. A message that cannot be parsed at all is one problem. */
export function decoded<T>(read: (problems: Problems) => T): Decoded<T> {
  const problems = new Problems()
  try {
    const value = read(problems)
    return problems.any ? { ok: false, problems: problems.list } : { ok: true, value }
  } catch (error) {
    return { ok: false, problems: [...problems.list, error instanceof Error ? error.message : String(error)] }
  }
}

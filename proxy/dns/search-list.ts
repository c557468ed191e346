/** How short names are completed, as /etc/resolv.conf says. */

export type SearchList = { readonly domains: readonly string[]; readonly minDots: number }

const defaultMinDots = 1
const maxMinDots = 15

export function parseSearchList(text: string): SearchList {
  let domains: readonly string[] = []
  let minDots = defaultMinDots
  for (const line of text.split('\n')) {
    const [word, ...values] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/)
    // The last of several counts.
    if (word === 'search' || word === 'domain') domains = values.map((domain) => domain.replace(/\.$/, ''))
    const dots = word === 'options' ? /(?:^|\s)ndots:(\d+)/.exec(values.join(' ')) : null
    if (dots !== null) minDots = Math.min(maxMinDots, Number(dots[1]))
  }
  return { domains: domains.filter((domain) => domain !== ''), minDots }
}

/** The full names to ask for, the likeliest first: a name with few dots is completed, one with more is tried as it is. */
export function candidateNames(name: string, { domains, minDots }: SearchList): readonly string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)]
  const completed = domains.map((domain) => `${name}.${domain}`)
  const dots = name.split('.').length - 1
  return dots >= minDots ? [name, ...completed] : [...completed, name]
}

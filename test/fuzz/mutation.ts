/** What happens to bytes on their way: changed, lost or doubled bytes, line ends, whole lines; an end too early. */
import fc from 'fast-check'
import { framingLine, meaningfulLine, plainLine } from './header-lines.ts'

type Mutation = (text: string) => string

const at = fc.nat({ max: 5000 })
const interesting = fc.constantFrom(
  '\r',
  '\n',
  '\r\n',
  '\0',
  '\t',
  ' ',
  ':',
  ';',
  ',',
  '0',
  '3',
  'a',
  'G',
  '\x0b',
  '\x7f',
  '\x80',
  '\xff',
  '"',
  '#',
  '-',
  '+',
  'x',
)

/** The place of the nth line end, or the end of the text. */
function lineEnd(text: string, n: number): number {
  const ends = [...text.matchAll(/\r\n/g)].map(({ index }) => index)
  return ends.length === 0 ? text.length : (ends[n % ends.length] as number)
}

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(at, interesting).map(
    ([n, byte]): Mutation =>
      (text) => {
        const i = text.length === 0 ? 0 : n % text.length
        return text.slice(0, i) + byte + text.slice(i + 1)
      },
  ),
  fc.tuple(at, interesting).map(
    ([n, byte]): Mutation =>
      (text) => {
        const i = n % (text.length + 1)
        return text.slice(0, i) + byte + text.slice(i)
      },
  ),
  fc.tuple(at, fc.integer({ min: 1, max: 4 })).map(
    ([n, count]): Mutation =>
      (text) => {
        const i = n % (text.length + 1)
        return text.slice(0, i) + text.slice(i + count)
      },
  ),
  fc.tuple(at, fc.constantFrom('\n', '\r', '\r\r\n', '\n\r', '', '\r\n\r\n', '\r\n ', ' \r\n')).map(
    ([n, end]): Mutation =>
      (text) => {
        const i = lineEnd(text, n)
        return text.slice(0, i) + end + text.slice(i + 2)
      },
  ),
  fc.tuple(at, fc.oneof(framingLine, meaningfulLine, plainLine)).map(
    ([n, line]): Mutation =>
      (text) => {
        const i = lineEnd(text, n) + 2
        return text.slice(0, i) + line + text.slice(i)
      },
  ),
  at.map(
    (n): Mutation =>
      (text) => {
        const i = lineEnd(text, n) + 2
        const j = lineEnd(text.slice(i), 0) + 2
        return text.slice(0, i + j) + text.slice(i)
      },
  ),
  at.map(
    (n): Mutation =>
      (text) =>
        text.slice(0, n % (text.length + 1)),
  ),
)

const mutations: fc.Arbitrary<readonly Mutation[]> = fc.oneof(
  { weight: 2, arbitrary: fc.constant([]) },
  { weight: 5, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 3 }) },
)

/** `text`, changed in up to three places. */
export function mutated(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(text, mutations).map(([whole, all]) => {
    let changed = whole
    for (const mutate of all) changed = mutate(changed)
    return changed
  })
}

/**
 * `npm run bench:routes`: what finding a request's rule costs, by the number of rules of its destination. Every look-up
 * takes its target out of a head, as the codec does, so that no string brings its hash along. Rounds are interleaved,
 * and each table is compared with the smallest of its kind in the same round. `one` asks always for the last rule: what
 * the index costs; `all` asks for every rule in turn: what the processor's caches add to that.
 */
import { Bench } from 'tinybench'
import { Body } from '../proxy/body.ts'
import { type Downstream, Exchange } from '../proxy/exchange.ts'
import { HeaderList } from '../proxy/header-list.ts'
import type { PathMatch, RouteRule } from '../proxy/route/route-rule.ts'
import { RouteTable } from '../proxy/route/route-table.ts'
import { quartiles } from './quartiles.ts'

const sizes = [1, 100, 1_000, 10_000] as const
const kinds = ['exact', 'pathPrefix'] as const
const askings = ['one', 'all'] as const
const rounds = 9
const lookUpsPerRun = 1_000
/** At 1,000 rules against one, where one rule is asked for. */
const allowedRatio = 1.05

type Kind = (typeof kinds)[number]
type Size = (typeof sizes)[number]
type Asking = (typeof askings)[number]

function rule(i: number, path: PathMatch): RouteRule {
  return {
    name: `rule-${i}`,
    match: { path, headers: [], query: [] },
    action: { kind: 'respond', status: 200, body: '' },
    timeoutMs: undefined,
  }
}

function pathOf(i: number): string {
  return `/api/v1/tenant-${String(i).padStart(5, '0')}`
}

function makeTable(kind: Kind, size: Size): RouteTable<number> {
  const rules = Array.from({ length: size }, (_, i) => rule(i, { kind, value: pathOf(i) }))
  let made = 0
  return new RouteTable([{ domains: ['*'], rules }], () => made++)
}

function lookUps(kind: Kind, size: Size, asking: Asking): () => void {
  const table = makeTable(kind, size)
  const heads = Array.from({ length: lookUpsPerRun }, (_, i) => {
    const path = pathOf(asking === 'one' ? size - 1 : Math.floor((i * size) / lookUpsPerRun))
    return `GET ${path}${kind === 'exact' ? '' : '/orders'} HTTP/1.1\r\n`
  })
  const head = { method: 'GET', target: '', authority: 'catalog:8080', absoluteForm: false }
  const x = new Exchange(
    {} as Downstream,
    { ...head, headers: new HeaderList(), acceptsTrailers: false, upgrade: undefined },
    Body.empty,
    0,
  )
  return () => {
    for (let i = 0; i < lookUpsPerRun; i++) {
      const line = heads[i] as string
      x.target = line.slice(4, line.length - 11)
      if (table.find(x) === undefined) throw new Error(`nothing found for ${x.target}`)
    }
  }
}

type Figures = { readonly nanoseconds: number[]; readonly ratios: number[] }

async function measure(kind: Kind, asking: Asking): Promise<Map<Size, Figures>> {
  const figures = new Map<Size, Figures>(sizes.map((size) => [size, { nanoseconds: [], ratios: [] }]))
  const runs = sizes.map((size) => [size, lookUps(kind, size, asking)] as const)
  for (let round = 0; round < rounds; round++) {
    const bench = new Bench({ time: 100, warmupTime: round === 0 ? 300 : 20 })
    for (const [size, run] of runs) bench.add(String(size), run)
    await bench.run()
    const medians = bench.tasks.map(({ result }) =>
      'latency' in result ? (result.latency.p50 * 1e6) / lookUpsPerRun : Number.NaN,
    )
    sizes.forEach((size, i) => {
      const { nanoseconds, ratios } = figures.get(size) as Figures
      nanoseconds.push(medians[i] as number)
      ratios.push((medians[i] as number) / (medians[0] as number))
    })
  }
  return figures
}

let lost = false
for (const asking of askings) {
  for (const kind of kinds) {
    for (const [size, { nanoseconds, ratios }] of await measure(kind, asking)) {
      const { median, lower, upper } = quartiles(ratios)
      const time = quartiles(nanoseconds).median.toFixed(0).padStart(4)
      const table = `${asking}  ${kind.padEnd(10)} ${String(size).padStart(6)} rules`
      process.stdout.write(
        `${table}  ${time} ns  ${median.toFixed(3)} (${lower.toFixed(3)} to ${upper.toFixed(3)})\n`,
      )
      if (asking === 'one' && size === 1_000 && median > allowedRatio) lost = true
    }
  }
}
if (lost) {
  process.stdout.write(`at 1,000 rules a look-up costs more than ${allowedRatio} times that at one\n`)
  process.exitCode = 1
}

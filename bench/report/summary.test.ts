import { build } from 'hdr-histogram-js'
import { expect, test } from 'vitest'
import type { Sample, ScenarioResult } from '../scenario.ts'
import { scenarios } from '../scenarios.ts'
import { pageHtml } from './page.ts'
import { curvePercentiles, summarizeRun, summarizeScenario } from './summary.ts'
import { factsText, limitsText, scenarioText } from './text.ts'

const paced = scenarios.find(({ name }) => name === 'plain-1000') as ScenarioResult['scenario']

function sample(cpuUs: number | undefined, latenciesUs: readonly number[]): Sample {
  const latencyUs = build()
  for (const us of latenciesUs) latencyUs.recordValue(us)
  const latenessUs = build()
  latenessUs.recordValue(7)
  const metrics = { perSecond: 1000, ...(cpuUs === undefined ? {} : { cpuUs, rssMb: 50, anonymousMb: 20 }) }
  return { metrics, latencyUs, latenessUs }
}

const thousand = Array.from({ length: 1000 }, (_, i) => i + 1)

const result: ScenarioResult = {
  scenario: paced,
  subjects: [
    { name: 'direct', samples: [sample(undefined, thousand), sample(undefined, thousand)] },
    { name: 'haproxy', samples: [sample(10, thousand), sample(20, thousand)] },
    { name: 'weft', samples: [sample(15, thousand), sample(30, thousand)] },
  ],
  missing: ['envoy is <not> installed'],
  repeated: 1,
  steal: 0.005,
}

const facts = {
  startedAt: '2026-01-01T00:00:00.000Z',
  seconds: 12.3,
  machine: { cores: 2, cpuModel: 'A <fast> one', kernel: '6.1', memoryMb: 2000, load: 0.3 },
  versions: { node: '26', haproxy: '2.6' },
  roundSeconds: 2,
  warm: true,
}

test('columns are quartiles over the rounds, the ratio that of each round', () => {
  const { subjects, stealPercent, repeatedRounds, rounds } = summarizeScenario(result)
  const weft = subjects.find(({ name }) => name === 'weft')
  expect(weft?.columns.cpuUs).toEqual({ lower: 18.75, median: 22.5, upper: 26.25 })
  expect(weft?.columns.cpuRatio?.median).toBe(1.5)
  expect(weft?.columns.p99Us?.median).toBe(990)
  expect(weft?.columns.lateP99Us?.median).toBe(7)
  expect([stealPercent, repeatedRounds, rounds]).toEqual([0.5, 1, 2])
  // Nothing stands before the backend: there is no cost, rather than none.
  expect(subjects[0]?.columns.cpuUs).toBeUndefined()
})

test('the curve is of all rounds together, and ends where there is too little to say', () => {
  const { curve } = summarizeScenario(result).subjects[0]!
  expect(curve.map(({ percentile }) => percentile).filter((each) => each >= 90)).toEqual(
    // Of 2,000 values ten are beyond 99.5 %.
    [90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 99.1, 99.2, 99.3, 99.4, 99.5],
  )
  expect(curve.find(({ percentile }) => percentile === 50)?.us).toBe(500)
})

test('percentiles get denser towards the end', () => {
  expect(curvePercentiles(2)).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 91, 92, 93, 94, 95, 96, 97, 98])
})

test('the text names what is missing, what was repeated, and how far limits are kept', () => {
  const run = summarizeRun(facts, [result], [{ name: 'routes', reason: 'it <broke>' }])
  const text = scenarioText(run.scenarios[0]!)
  expect(text).toContain('missing: envoy is <not> installed')
  expect(text).toContain('1 rounds repeated, steal 0.5 %')
  expect(text).toMatch(/weft +22\.5 +1\.50 \(1\.50-1\.50\) +1000/)
  expect(limitsText(run.limits, 'by the median')).toMatch(
    /plain, 1,000\/s, against HAProxy +1\.50 \(1\.50-1\.50\) +1\.35 +NOT KEPT/,
  )
  expect(limitsText(run.limits, 'by the median')).toMatch(/1,000 routes instead of 1 +not measured +1\.05/)
  expect(limitsText(run.limits, 'by the median')).not.toContain('start to ready')
  expect(factsText(run)).toContain('2 x A <fast> one, 2000 MB, Linux 6.1, load 0.3 before the run')
})

test('the page needs nothing from elsewhere, and no text of a run is markup', () => {
  const html = pageHtml(summarizeRun(facts, [result], [{ name: 'routes', reason: 'it <broke>' }]))
  expect(html).not.toMatch(/https?:|<script|<link|@import|url\(/)
  expect(html).toContain('it &lt;broke&gt;')
  expect(html).toContain('A &lt;fast&gt; one')
  expect(html).toContain('Missing: envoy is &lt;not&gt; installed')
  expect(html.match(/<svg /g)).toHaveLength(2)
  expect(html.match(/<svg /g)?.length).toBe(html.match(/<\/svg>/g)?.length)
})

test('cold figures judge no limit', () => {
  const run = summarizeRun({ ...facts, warm: false }, [result], [])
  expect(run.limits).toEqual([])
  expect(pageHtml(run)).not.toContain('Limits')
})

test('the JSON file holds what was measured in each round', () => {
  const run = JSON.parse(JSON.stringify(summarizeRun(facts, [result], []))) as ReturnType<typeof summarizeRun>
  expect(run.scenarios[0]?.subjects[2]?.rounds).toEqual([
    { perSecond: 1000, cpuUs: 15, rssMb: 50, anonymousMb: 20 },
    { perSecond: 1000, cpuUs: 30, rssMb: 50, anonymousMb: 20 },
  ])
})

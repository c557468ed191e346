import { expect, test } from 'vitest'
import { parseFile } from '../../control-plane/providers/directory/parse-file.ts'
import { balancingMeshYaml } from './balancing-mesh.ts'
import type { Outcome } from './outcome.ts'
import { balancingPage } from './report-page.ts'
import { outcomeText } from './report-text.ts'
import { balancingScenarios } from './scenarios.ts'
import { timelineChart } from './timeline-chart.ts'

const outcome: Outcome = {
  requests: 2,
  goodPercent: 99.5,
  afterEjectionPercent: undefined,
  percentilesMs: { p50: 167, p95: 190, p99: 200, p999: 212 },
  goodBySecond: [100, 99],
  retries: 0,
  overBudget: 0,
  ejections: 0,
  amplification: 1,
}

test('every scenario is a mesh that the control plane can read', () => {
  for (const { subjects } of balancingScenarios())
    for (const { policy } of subjects)
      expect(parseFile('mesh.yaml', balancingMeshYaml([1, 2], policy)).problems).toEqual([])
})

test('a tenth of the time keeps trouble within the run', () => {
  for (const { behaviours, seconds } of balancingScenarios(0.1))
    for (const { trouble } of behaviours)
      if (trouble?.kind === 'stuck') expect(trouble.toSecond).toBeLessThan(seconds)
})

test('a lost claim is told in the terminal and on the page', () => {
  const outcomes = new Map([['peak EWMA', outcome]])
  const claims = [{ text: 'it is <fast>: 1', holds: false }]
  expect(outcomeText('title', outcomes, claims)).toContain('LOST it is <fast>: 1')
  const page = balancingPage('facts', [{ title: 'title', outcomes, claims }])
  expect(page).toContain('<p class="bad">&#10007; it is &lt;fast&gt;: 1</p>')
  expect(page.match(/<svg /g)).toHaveLength(2)
})

test('a line over time stays within the plot', () => {
  const svg = timelineChart('t', [{ values: [100, 40, 100], colour: 0, ours: true }])
  const [, path = ''] = /<path d="M([^"]+)" class="line/.exec(svg) ?? []
  const heights = path.split('L').map((point) => Number(point.split(' ')[1]))
  expect(Math.min(...heights)).toBe(8)
  expect(Math.max(...heights)).toBeLessThanOrEqual(236)
})

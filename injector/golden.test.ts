import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { inject, type Injection } from './inject.ts'
import { readPod } from './read-pod.ts'
import { enabled, testPlan } from './test-plan.ts'
import { workloadOfPod } from './workload.ts'

const folder = path.join(import.meta.dirname, 'golden')
const shapes = readdirSync(folder)
  .filter((file) => file.endsWith('.yaml') && !file.endsWith('.injected.yaml'))
  .map((file) => file.slice(0, -'.yaml'.length))

/** The version is not what these files are about. */
function shown(injection: Injection): string {
  if (injection.kind !== 'injected') return stringify(injection)
  const text = stringify({ ...injection.pod, warnings: injection.warnings }, { lineWidth: 0 })
  return text.replace(/(weft\.dev\/proxy-version:) .*/, '$1 VERSION')
}

test('there are pods of eleven shapes', () => {
  expect(shapes).toHaveLength(11)
})

test.each(shapes)('a pod of the shape %s becomes what its golden file says', async (shape) => {
  const read = readPod(parse(readFileSync(path.join(folder, `${shape}.yaml`), 'utf8')))
  if (!read.ok) throw new Error(read.problems.join('; '))
  const injection = inject(read.pod, enabled, testPlan, workloadOfPod(read.pod.metadata))
  await expect(shown(injection)).toMatchFileSnapshot(path.join(folder, `${shape}.injected.yaml`))
})

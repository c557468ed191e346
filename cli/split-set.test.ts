import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parseWeights, setInFolder, withWeights } from './split-set.ts'

const split = { namespace: 'shop', name: 'catalog' }
const text = `# the shop
apiVersion: v1
kind: Service
metadata: {name: catalog, namespace: shop}
---
apiVersion: split.smi-spec.io/v1alpha2
kind: TrafficSplit
metadata: {name: catalog, namespace: shop}
spec:
  service: catalog
  backends:
    - service: v1   # the old one
      weight: 100m
    - {weight: 0, service: v2}
`

describe('other weights in YAML', () => {
  it('change the weights, and no other byte', () => {
    expect(withWeights(text, split, parseWeights(['v1=90', 'v2=10']))).toBe(
      text.replace('weight: 100m', 'weight: 90').replace('weight: 0,', 'weight: 10,'),
    )
  })

  it('leave a backend as it is that is not named', () => {
    expect(withWeights(text, split, parseWeights(['v2=10']))).toBe(text.replace('weight: 0,', 'weight: 10,'))
  })

  it('are for the split of that name and namespace only', () => {
    expect(
      withWeights(text, { namespace: 'other', name: 'catalog' }, parseWeights(['v2=10'])),
    ).toBeUndefined()
  })

  it('are refused for a backend that the split does not have', () => {
    expect(() => withWeights(text, split, parseWeights(['v3=10']))).toThrow(
      expect.objectContaining({
        code: 'RESOURCE_UNKNOWN',
        message: expect.stringContaining('it has v1, v2'),
      }),
    )
  })

  it.each(['v1', 'v1=', 'v1=-1', 'v1=1.5', '=3', 'v1=1 v1=2'])('%s is no weight', (args) => {
    expect(() => parseWeights(args.split(' '))).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })
})

it('a folder: the file with the split is replaced, and a split that no file has is told', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'weft-split-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'mesh.yaml')
  writeFileSync(file, text)
  expect(setInFolder(folder, split, parseWeights(['v2=7']))).toBe(file)
  expect(readFileSync(file, 'utf8')).toContain('{weight: 7, service: v2}')
  expect(() => setInFolder(folder, { ...split, name: 'ghost' }, parseWeights(['v2=7']))).toThrow(
    expect.objectContaining({ code: 'RESOURCE_UNKNOWN' }),
  )
})

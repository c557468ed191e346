import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { referencePages } from './pages.ts'

test.each([...referencePages])(
  'docs/reference/%s says what the code says (npm run build:docs)',
  async (name, make) => {
    const written = readFileSync(path.join(import.meta.dirname, '../reference', name), 'utf8')
    expect(written).toBe(await make())
  },
)

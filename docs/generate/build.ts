/** `npm run build:docs`: writes docs/reference from the code. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { referencePages } from './pages.ts'

for (const [name, make] of referencePages) {
  writeFileSync(path.join(import.meta.dirname, '../reference', name), await make())
}

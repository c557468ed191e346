import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { observeFiles } from './files.ts'

for (const [name, text] of observeFiles()) writeFileSync(path.join(import.meta.dirname, name), text)

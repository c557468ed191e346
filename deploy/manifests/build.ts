/** `npm run build:manifests`: writes deploy/weft.yaml and deploy/kustomization.yaml from the code of `weft install`. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { kustomizeFiles } from './kustomize-files.ts'

for (const [name, text] of kustomizeFiles()) writeFileSync(path.join(import.meta.dirname, '..', name), text)

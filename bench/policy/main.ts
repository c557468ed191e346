/** `npm run bench:policy`: what rules of access cost, by their number, in front of an application; fails when a limit is lost. */
import { runMain } from '../../core/main-guard.ts'
import { runVariants } from '../variant-bench.ts'
import { groups } from './variants.ts'

await runMain(async () => {
  process.exitCode = await runVariants('policy', groups)
})

/** `npm run bench:telemetry`: what telemetry costs. One sidecar for each variant; fails when a limit is lost. */
import { runMain } from '../../core/main-guard.ts'
import { runVariants } from '../variant-bench.ts'
import { groups } from './variants.ts'

await runMain(async () => {
  process.exitCode = await runVariants('telemetry', groups)
})

/** Every page of docs/reference, by its file's name. */
import { annotationsPage } from './annotations-page.ts'
import { cliPage } from './cli-page.ts'
import { errorCodesPage } from './error-codes-page.ts'
import { metricsPage } from './metrics-page.ts'
import { settingsPage } from './settings-page.ts'

export const referencePages: ReadonlyMap<string, () => string | Promise<string>> = new Map<
  string,
  () => string | Promise<string>
>([
  ['settings.md', settingsPage],
  ['error-codes.md', errorCodesPage],
  ['annotations.md', annotationsPage],
  ['metrics.md', metricsPage],
  // A page that people begin with, beside the tasks.
  ['../cli.md', cliPage],
])
